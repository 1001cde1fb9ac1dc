DROP TABLE use_objections;
DROP TABLE use_hidings;
DROP TABLE reported_uses;
DROP TABLE use_reports;
