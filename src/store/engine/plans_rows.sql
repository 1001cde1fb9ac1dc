-- Rows for the planner: every table of the schema is filled alike, so that a new one is filled too. Values are made up by
-- type; only their numbers and their distribution matter. `state` and the like are given where few rows of many are meant.
DO $$
DECLARE
  t RECORD;
  c RECORD;
  names TEXT;
  made TEXT;
  one TEXT;
BEGIN
  FOR c IN SELECT r.relname AS tab, k.conname AS name FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid
           WHERE r.relnamespace = current_schema()::regnamespace AND k.contype IN ('c', 'f') LOOP
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS %I CASCADE', c.tab, c.name);
  END LOOP;
  FOR t IN SELECT r.oid, r.relname FROM pg_class r
           WHERE r.relnamespace = current_schema()::regnamespace AND r.relkind = 'r' AND r.relname NOT LIKE '\_\_%' LOOP
    names := '';
    made := '';
    FOR c IN SELECT a.attname, format_type(a.atttypid, NULL) AS kind, a.attnotnull,
               EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = t.oid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS is_unique
             FROM pg_attribute a
             WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' LOOP
      one := CASE WHEN c.is_unique THEN 'n' ELSE '(n % 3000)' END;
      one := CASE
        WHEN t.relname = 'outbox' AND c.attname = 'place' THEN 'CASE WHEN n % 50 < 46 THEN 3 WHEN n % 50 = 46 THEN 4 ELSE n % 50 - 47 END'
        WHEN t.relname = 'outbox' AND c.attname = 'lease_until' THEN 'CASE WHEN n % 100 = 1 THEN n ELSE 0 END'
        WHEN t.relname = 'persons' AND c.attname = 'issuer' THEN '''https://login.example'''
        WHEN t.relname = 'consents' AND c.attname = 'state' THEN 'CASE WHEN n % 3 = 0 THEN ''revoked'' ELSE ''active'' END'
        WHEN t.relname = 'consents' AND c.attname = 'ended_at' THEN 'CASE WHEN n % 3 = 0 THEN n END'
        WHEN t.relname = 'consents' AND c.attname = 'erased_at' THEN 'CASE WHEN n % 3 = 0 AND n % 100 <> 0 THEN n END'
        WHEN t.relname = 'consents' AND c.attname IN ('declared_use', 'followed') THEN '''u'' || n % 20'
        WHEN t.relname = 'consents' AND c.attname = 'epoch' THEN '0'
        WHEN c.attname = 'state' AND t.relname IN ('consent_requests', 'held_consents')
          THEN 'CASE n % 100 WHEN 0 THEN ''requested'' WHEN 1 THEN ''lapsed'' WHEN 2 THEN ''declined'' ELSE ''active'' END'
        WHEN c.attname = 'origin' THEN 'CASE WHEN n % 20 = 0 THEN ''portal'' ELSE ''pushed'' END'
        WHEN c.attname IN ('recipient', 'holder', 'client', 'destination') THEN '''e'' || n % 100'
        WHEN c.attname = 'used_at' THEN 'CASE WHEN n % 100 <> 0 THEN n END'
        WHEN c.kind = 'bigint' THEN one
        WHEN c.kind = 'bytea' THEN format('decode(md5(%s::text), ''hex'')', one)
        ELSE format('''x'' || %s', one) END;
      IF NOT c.attnotnull AND c.attname NOT IN ('ended_at', 'erased_at', 'used_at', 'person') AND NOT c.is_unique THEN
        one := format('CASE WHEN n %% 10 = 0 THEN %s END', one);
      END IF;
      names := names || CASE WHEN names = '' THEN '' ELSE ', ' END || quote_ident(c.attname);
      made := made || CASE WHEN made = '' THEN '' ELSE ', ' END || one;
    END LOOP;
    EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM generate_series(10, 5000) n ON CONFLICT DO NOTHING', t.relname, names, made);
    EXECUTE format('ANALYZE %I', t.relname);
  END LOOP;
END $$;
CREATE FUNCTION plan_of(statement TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
  found TEXT;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO found;
  RETURN found;
END $$;
