# Portalens texter på svenska.
# Same keys and arguments in fi.ftl, sv.ftl and en.ftl; a difference does not compile.

## Every page

service-name = Mina uppgifter och tillstånd
skip-link = Gå till innehållet
nav-label = Huvudmeny
language-label = Språk
nav-home = Startsida
nav-overview = Min sida
nav-sharing = Tillstånd
nav-uses = Användning
nav-log = Händelser
nav-partners = Tjänster
nav-catalogue = Datakatalog
log-in = Logga in
log-out = Logga ut
signed-in = Du är inloggad
demo-banner = Det här är en demonstration. Invånarna och deras uppgifter är påhittade.
footer-contact = Frågor om tjänsten?
footer-dpo = Dataskyddsombud
footer-city = { $city } ansvarar för den här tjänsten.
and = och
notice-stopped = Tillståndet är återkallat. Inga nya hämtningar görs.
notice-had-ended = Tillståndet hade redan upphört. Du behöver inte göra något.

## Values, periods, legal bases

value-yes = ja
value-no = nej
value-none = ingen uppgift
period-years = { $n } år
period-months = { $n ->
    [one] { $n } månad
   *[other] { $n } månader
    }
period-weeks = { $n ->
    [one] { $n } vecka
   *[other] { $n } veckor
    }
period-days = { $n ->
    [one] { $n } dag
   *[other] { $n } dagar
    }
period-none = Uppgifterna sparas inte
basis-permission = Ditt eget tillstånd, det vill säga samtycke (dataskyddsförordningen, artikel 6.1 a)
basis-contract = Ett avtal där du är part (dataskyddsförordningen, artikel 6.1 b)
basis-legal-obligation = Lagen kräver att staden använder uppgifterna (dataskyddsförordningen, artikel 6.1 c)
basis-vital-interests = Skydd av liv eller hälsa (dataskyddsförordningen, artikel 6.1 d)
basis-public-task = Stadens uppgift enligt lag (dataskyddsförordningen, artikel 6.1 e)
basis-legitimate-interest = Berättigat intresse (dataskyddsförordningen, artikel 6.1 f)
basis-explicit-permission = Ditt uttryckliga tillstånd att använda känsliga uppgifter (dataskyddsförordningen, artikel 9.2 a)
basis-special-category = Lagen tillåter att känsliga uppgifter används för den här uppgiften (dataskyddsförordningen, artikel 9.2)
basis-other = Annan grund. Fråga dataskyddsombudet.
sensitive = Känslig uppgift

## Permissions and the log

status-active = I kraft
status-suspended = Pausat
status-stopped = Återkallat
status-expired = Utgånget
status-used-up = Använt
status-replaced = Ersatt med ett nytt
until-label = Gäller
until-day = till och med { $day }
given-label = Gavs
ended-label = Upphörde
times-label = Hämtningar
times-value = hittills { $used }, högst { $allowed }
permission-open = Visa tillståndet
stop = Återkalla tillståndet
log-when = När
log-who = Vem
log-what = Vad
log-why = Varför
log-basis = Grund
log-outcome = Resultat
outcome-released = Uppgifterna lämnades ut
outcome-refused = Inga uppgifter lämnades ut
outcome-unconfirmed = Mottagandet är inte bekräftat ännu.
outcome-deferred = Uppgifterna finns inte ännu
outcome-deferred-until = Inga uppgifter gavs. De finns i registret från { $moment }.
outcome-used = Uppgifter användes
outcome-used-from = Från { $moment }.
outcome-delayed = Detta visades inte för dig genast, eftersom en lag tillåter att man väntar.
refusal-stopped = Du hade återkallat tillståndet.
refusal-suspended = Tillståndet var pausat.
refusal-expired = Tillståndet hade gått ut.
refusal-used-up = De tillåtna hämtningarna var redan gjorda.
refusal-not-covered = Begäran gällde uppgifter som ditt tillstånd inte omfattar.
refusal-not-verified = Det gick inte att bekräfta att begäran var äkta.
refusal-not-member = Den som frågade hör inte till städernas nätverk.
refusal-register-unavailable = Registret svarade inte.
refusal-unavailable = Staden kunde inte försäkra sig om att uppgifterna fick lämnas ut.
reporting = { $n ->
    [one] Du ser händelser från ett system.
   *[other] Du ser händelser från { $n } system.
    }
reporting-silent = { $n ->
    [one] Ett system rapporterar inte hit ännu.
   *[other] { $n } system rapporterar inte hit ännu.
    }
reporting-others = Stadens övriga system rapporterar inte hit ännu.

## Front page

home-title = Du bestämmer vart dina uppgifter går
home-lead = Städerna kan ge varandra uppgifter om dig bara med ditt tillstånd. Här ser du vem som frågar och varför, och du kan återkalla ett tillstånd när som helst.
home-how-title = Så här fungerar det
home-step-one-title = En tjänst frågar
home-step-one = Till exempel ber småbarnspedagogiken i din nya hemstad om uppgifter om ditt barns plats i den förra hemstaden.
home-step-two-title = Du ser och bestämmer
home-step-two = Du ser dina uppgifter så som de skulle lämnas ut. Du ger tillstånd eller låter bli. Båda är lika vanliga val.
home-step-three-title = Du ser vad som hände
home-step-three = Varje hämtning syns här. När du återkallar ett tillstånd görs inga nya hämtningar.
home-cities-title = Städer som är med
home-cities-lead = Logga in hos den stad där dina uppgifter finns.
home-here = Du är här
home-look-title = Titta utan att logga in
home-look-catalogue = Vilka uppgifter staden har och vem som använder dem
home-look-partners = Vilka tjänster som kan be om dina uppgifter
home-open-mine = Öppna min sida

## My page

me-title = Min sida
me-title-name = Hej, { $name }
me-waiting-title = Väntar på ditt beslut
me-waiting-none = Ingen begäran väntar på ditt beslut.
me-decide = Titta och bestäm
me-open-until = Öppen till { $moment }
me-sharing-title = Tillstånd i kraft
me-sharing-none = Du har inga tillstånd i kraft. Inga uppgifter hämtas med ditt tillstånd.
me-sharing-all = Alla tillstånd
me-log-title = Senaste hämtningar
me-log-none = Dina uppgifter har inte hämtats.
me-log-all = Alla händelser
me-start-title = Vill du ge ett tillstånd på eget initiativ?
me-start = Du kan välja en tjänst som får hämta dina uppgifter utan att den först frågar.
me-start-link = Se tjänsterna

## Activity

log-title = Händelser
log-lead = Alla gånger någon har begärt dina uppgifter, också de gånger då inget lämnades ut, och all användning som stadens system har rapporterat.
log-none = Ingen har begärt dina uppgifter.
log-newest = De nyaste
log-data-not-named = Uppgifterna är inte specificerade
log-systems = Vilka system rapporterar hit
log-system-last = rapporterade senast { $moment }
log-system-never = har inte rapporterat något ännu
log-system-silent = rapporterar inte ännu
log-older = Äldre
log-pages = Sidor
trackers-title = Vad registren själva har antecknat
trackers-lead = De här källorna för själva bok över hur dina uppgifter används. De tillfrågas just nu, och svaren sparas inte här.
trackers-asking = Tillfrågas:
tracker-kept-from = Källan bevarar uppgifter om användning från och med { $moment }.
tracker-kept-between = Källan bevarar uppgifter om användning från { $from } till { $to }.
tracker-kept-unknown = Källan berättade inte hur långt tillbaka dess anteckningar går.
tracker-none = Källan har inte antecknat någon användning av dina uppgifter.
tracker-no-older = Det finns ingen äldre användning.
tracker-unavailable = Källan svarar inte just nu, så den användning som den har antecknat kan inte visas.
tracker-busy = Källan tillfrågades inte, eftersom en annan av dina sidor ännu höll på att sammanställas.
export-tracker-latest = Bara den senaste användningen: källan kan ha mer.
export-tracker-unavailable = Inte i kopian: källan svarade inte, eller inte som den ska.

## Permissions

sharing-title = Tillstånd
sharing-lead = Vem som får hämta dina uppgifter, för vad och hur länge.
sharing-in-force = I kraft
sharing-ended = Upphörda och inte givna
sharing-ended-none = Inga upphörda tillstånd.

## One permission

permission-facts = Vad tillståndet gäller
permission-who = Vem får hämta
permission-where = Varifrån uppgifterna hämtas
permission-what = Vilka uppgifter
permission-left-out = Du utelämnade
permission-origin = Hur tillståndet kom till
origin-service = Tjänsten bad om tillstånd
origin-resident = Du gav tillståndet på eget initiativ
permission-evidence = Bekräftelse
permission-signed = Inloggningstjänsten har bekräftat ditt beslut med en elektronisk underskrift.
permission-unsigned = Beviset för ditt beslut har raderats, eftersom tiden för att spara det har gått ut.
permission-stop-title = Återkalla tillståndet
permission-stop-lead = Du kan återkalla tillståndet direkt. Du behöver inte ange någon orsak.
permission-stop-limits = Inga nya hämtningar görs efter det. Uppgifter som redan har hämtats finns kvar hos tjänsten som hämtade dem.
permission-stop-waiting = Inga nya hämtningar görs. { $asker } har fått eller får veta att tillståndet är återkallat, men har inte bekräftat det ännu.
permission-stop-confirmed = Inga nya hämtningar görs. { $asker } bekräftade återkallelsen { $moment }.
permission-history = Tillståndets historia
permission-exchanges = Hämtningar med det här tillståndet
permission-exchanges-none = Inget har hämtats med det här tillståndet.
change-given = Du gav tillståndet.
change-declined = Du gav inte tillstånd.
change-stopped = Du återkallade tillståndet.
change-given-back = Den som frågade avstod från tillståndet.
change-suspended = Tillståndet pausades.
change-resumed = Tillståndet trädde i kraft igen.
change-expired = Tillståndets sista dag gick ut.
change-used-up = Den sista tillåtna hämtningen gjordes.
change-replaced = Ett nytt tillstånd ersatte det här.
change-stop-confirmed = Den som frågade bekräftade att den inte längre hämtar uppgifter.

## Stopping

stop-title = Vill du återkalla tillståndet?
stop-effects-title = Vad som händer när du återkallar tillståndet
stop-effect-now = Inga nya hämtningar görs. Det gäller genast.
stop-effect-told = { $asker } får veta att tillståndet är återkallat. Du ser på sidan när det har bekräftats.
stop-limits-title = Vad återkallelsen inte ändrar
stop-limits = { $n ->
    [0] Dina uppgifter har inte hämtats med det här tillståndet ännu.
    [one] Dina uppgifter har hämtats en gång. Uppgifter som redan har hämtats finns kvar hos tjänsten som hämtade dem.
   *[other] Dina uppgifter har hämtats { $n } gånger. Uppgifter som redan har hämtats finns kvar hos tjänsten som hämtade dem.
    }
stop-limits-retention = Tjänsten sparar uppgifterna så här länge: { $period }.
stop-confirm = Återkalla tillståndet
stop-keep = Behåll tillståndet

## The decision

consent-kicker = Begäran om tillstånd
consent-title = { $city } ber om ditt tillstånd
consent-who-title = Vem frågar
consent-asker = Den som frågar
consent-holder = Uppgifterna finns här
consent-verified = Kontrollerad: hör till städernas nätverk
consent-purpose-title = För vad
consent-data-title = Vilka uppgifter
consent-data-lead = Här ser du uppgifterna så som de är just nu. Inget har skickats ännu.
consent-required-title = Behövs
consent-required-lead = Tjänsten kan inte behandla ditt ärende den här vägen utan dem.
consent-optional-title = Du kan också ge
consent-optional-lead = Välj bara dem du vill ge. Du kan låta bli att välja någon.
consent-not-asked-title = Det här lämnas inte ut
consent-record = Uppgift { $n }
consent-records-none = Just nu finns det inga uppgifter i registret. Tillståndet gäller uppgifter som kan tillkomma.
consent-records-later = Dina uppgifter finns i registret från { $moment } och kan därför inte visas här ännu.
consent-records-later-decide = Du kan besluta nu utan att se dem, eller öppna sidan igen efter det. Begäran är öppen till { $until }. Om du ger tillstånd hämtas uppgifterna först när de finns i registret.
non-disclosure = Uppgifterna omfattas av en spärrmarkering. Det här lämnas inte ut till någon härifrån:
consent-persons-title = Vems uppgifter
consent-persons-lead = Välj vad tillståndet gäller. Du kan välja allt om en person eller enskilda uppgifter. Det du lämnar bort ges inte.
consent-person-all = Allt ovan om { $name }, också det som läggs till senare
consent-record-only = Bara: { $record }
consent-person-only = Tillståndet gäller uppgifterna ovan om { $name }, också det som läggs till senare, och inga andra personers.
consent-person-records-only = Tillståndet gäller bara det här om { $name }:
consent-persons-everybody = Tillståndet gäller de här uppgifterna om alla vars uppgifter registret har för dig, också det som läggs till senare.
consent-persons-everybody-later = Du kan välja vems uppgifter tillståndet gäller när de finns i registret: öppna sidan igen då.
consent-person = Person { $n }
consent-person-you = Du
consent-persons-not-held = Tjänsten ber om uppgifter om en viss person eller en viss uppgift. { $city } har inga sådana uppgifter om dig, så de kan inte ges.
consent-return = Tillbaka till tjänsten
permission-persons = Vems uppgifter
permission-persons-all = allt, också det som läggs till senare
consent-time-title = Hur länge
consent-duration-legend = Hur ofta får uppgifterna hämtas?
consent-once = En gång
consent-once-hint = Senast { $day }. Efter det upphör tillståndet.
consent-until = Till en viss dag
consent-until-hint = Uppgifterna får hämtas på nytt om de ändras. Längst till { $day }.
consent-until-label = Sista dag
consent-times-label = Högst antal hämtningar
consent-no-renewal = Tillståndet förlängs inte av sig självt.
consent-reach-label = Från vilken tid
consent-reach-current = Uppgifterna så som de är i registret när de hämtas
consent-after-title = Vad händer med uppgifterna
consent-retention-label = Hur länge den som frågar sparar uppgifterna
consent-onward-label = Uppgifter som lämnas vidare
consent-onward-none = Uppgifterna lämnas inte vidare.
consent-basis-title = Grund och ansvar
consent-basis-label = Grund för användningen
consent-basis-choice = Det här är ditt val. Ingen lag kräver att du ger tillstånd.
consent-basis-law = Användningen grundar sig på lag, men uppgifterna hämtas inte den här vägen utan ditt tillstånd.
consent-controller-label = Ansvarar för uppgifterna (personuppgiftsansvarig)
consent-complaint = Om du anser att dina uppgifter behandlas fel kan du klaga hos dataombudsmannen.
consent-no-title = Om du inte ger tillstånd
consent-no-reason = Du behöver inte ange någon orsak, och ärendet kan skötas på annat sätt.
consent-stop-title = Om du ändrar dig
consent-stop = Du kan återkalla tillståndet när som helst på din sida. Efter det görs inga nya hämtningar.
consent-stop-limits = Uppgifter som redan har hämtats finns kvar hos den som frågade så länge som sägs ovan.
consent-as-title = För vem du beslutar
consent-as-you = Du beslutar inloggad som { $name }.
consent-as-self = Du beslutar för egen del.
consent-as-children = Beslutet gäller den eller dem som du är vårdnadshavare för:
consent-decide-title = Ditt beslut
consent-decide-lead = När du ger tillstånd bekräftar inloggningstjänsten ditt beslut. Oftast behöver du inte logga in på nytt.
consent-allow = Ge tillstånd
consent-deny = Ge inte tillstånd
consent-later = Du kan också stänga sidan och besluta senare. Begäran är öppen till { $moment }.

## After the decision

decided-allowed-title = Tillståndet är gett
decided-allowed = { $asker } får nu hämta de här uppgifterna.
decided-allowed-stop = Du ser varje hämtning på din sida och kan återkalla tillståndet när som helst.
decided-declined-title = Inget tillstånd gavs
decided-declined = Inga av dina uppgifter har skickats. Du behöver inte göra något mer.
decided-to-me = Gå till min sida

## Wrong person

wrong-title = Den här begäran är avsedd för en annan person
wrong-happened = Tjänsten väntar på en annan persons beslut. Därför kan du inte ge tillstånd med dina egna uppgifter.
wrong-next = Om ni delar enhet kan du logga ut, så att rätt person kan logga in och besluta. Om du själv öppnade begäran kan du gå tillbaka till tjänsten och kontrollera ditt ärende.

## Data catalogue

catalogue-title = Datakatalog
catalogue-lead = Vilka uppgifter { $city } har om sina invånare, vad de används till och vem annan som kan be om dem.
catalogue-search-label = Sök i datakatalogen
catalogue-search-hint = Till exempel dagvård eller adress
catalogue-search = Sök
catalogue-all = Visa alla
catalogue-found = { $n ->
    [0] Sökningen gav inga träffar. Prova ett annat ord.
    [one] Ett dataset hittades.
   *[other] { $n } dataset hittades.
    }
catalogue-empty = Katalogen är tom än så länge.
catalogue-own-use = Stadens egen användning
catalogue-own-use-law = Det här grundar sig på lag. Ditt tillstånd behövs inte.
catalogue-others = Vem annan kan be om dem
catalogue-others-none = Ingen tjänst ber om de här uppgifterna.
catalogue-others-permission = De här tjänsterna får uppgifterna bara med ditt tillstånd.
catalogue-narrows-records = Du kan ge ett tillstånd för en persons uppgifter eller för enskilda uppgifter.
catalogue-narrows-persons = Du kan ge ett tillstånd för en persons uppgifter.
catalogue-unreachable = De här städernas tjänster kan inte visas just nu:
catalogue-register = Register
dataset-fields = Uppgifter
dataset-sensitive-note = Känsliga uppgifter skyddas särskilt noga.
dataset-basis = På vilken grund staden använder uppgifterna
dataset-legislation = Lagstiftning
dataset-retention = Så länge sparas uppgifterna
dataset-formats = Samma beskrivning för program
processing-service = Tjänst
processing-retention = Hur länge uppgifterna bevaras
processing-recipients = Vem uppgifterna ges till
processing-nobody = Ingen
processing-ask = Fråga
processing-correct = Om det finns ett fel
processing-correct-link = Be om rättelse

## Services

partners-title = Tjänster som kan be om dina uppgifter
partners-lead = Städerna meddelar på förhand vad varje tjänst kan be om och varför. Något annat kan de inte be om.
partners-here = den här staden
partners-none = Staden har inte meddelat några tjänster.
partners-unreachable = Stadens tjänster kan inte visas just nu. Försök igen om en stund.
partners-no-data = Den här staden har inte de här uppgifterna.
partners-open = Läs mer
use-kicker = Tjänst
use-asks = Vad tjänsten ber om
use-required = Behövs alltid
use-optional = Du kan lämna bort
use-limits = Gränser
use-max-days = Tillståndet gäller högst
use-max-times = Högst antal hämtningar
use-otherwise = Om du inte ger tillstånd
use-start-title = Ge tillstånd på eget initiativ
use-start-lead = Du får först se dina uppgifter och beslutar sedan. Inget skickas före det.
use-start = Se uppgifterna och bestäm
use-start-login = Logga in och fortsätt
use-no-data = Den här staden har inte de uppgifter som tjänsten ber om. Därför kan tillstånd inte ges här.

## Logging in and out

logged-out-title = Du har loggat ut
logged-out-here = Din session i den här tjänsten är avslutad. Sessionen i inloggningstjänsten kan fortfarande vara öppen. Stäng webbläsaren om ni delar enhet.
logged-out-onward = Din session i den här tjänsten är avslutad. Härnäst avslutas sessionen i inloggningstjänsten.
logged-out-continue = Fortsätt

## Errors

error-nothing-sent = Inga av dina uppgifter har skickats.
error-what-now = Vad du kan göra
error-trace = Händelsenummer
error-trace-hint = Uppge numret om du tar kontakt.
error-retry = Försök igen
error-home = Till startsidan
error-me = Till min sida
trouble-not-found-title = Sidan hittades inte
trouble-not-found-happened = Adressen kan vara fel, eller så har sidan tagits bort.
trouble-not-found-next = Kontrollera adressen eller börja från startsidan.
trouble-request-unknown-title = Begäran hittades inte
trouble-request-unknown-happened = Det finns ingen sådan begäran, eller så är den inte till dig.
trouble-request-unknown-next = Gå tillbaka till tjänsten du kom från och börja om där. Begäranden till dig ser du på din sida.
trouble-request-expired-title = Begäran har gått ut
trouble-request-expired-happened = Begäran blev inte besvarad i tid och förföll av sig själv.
trouble-request-expired-next = Om du fortfarande vill sköta ärendet, gå tillbaka till tjänsten och be om en ny begäran.
trouble-already-decided-title = Du har redan beslutat om det här
trouble-already-decided-happened = Begäran är redan besvarad och kan inte besvaras en gång till.
trouble-already-decided-next = Du ser ditt beslut på din sida. Där kan du också återkalla ett tillstånd.
trouble-changed-title = Uppgifterna ändrades under tiden
trouble-changed-happened = Det som visades stämmer inte längre. Därför togs ditt beslut inte emot.
trouble-changed-next = Öppna begäran på nytt, titta på de nya uppgifterna och besluta sedan.
trouble-permission-ended-title = Tillståndet har redan upphört
trouble-permission-ended-happened = Tillståndet gäller inte längre, så det behöver inte återkallas.
trouble-permission-ended-next = Du ser tillståndets historia på din sida.
trouble-login-cancelled-title = Inloggningen avbröts
trouble-login-cancelled-happened = Inloggningen slutfördes inte.
trouble-login-cancelled-next = Du kan logga in när du vill.
trouble-login-failed-title = Inloggningen lyckades inte
trouble-login-failed-happened = Svaret från inloggningstjänsten kunde inte godkännas. Det kan hända till exempel om inloggningen tar länge eller om sidan öppnas på nytt ur webbläsarens historik.
trouble-login-failed-next = Logga in på nytt från början.
trouble-login-too-weak-title = Starkare identifiering behövs
trouble-login-too-weak-happened = För de här uppgifterna behövs en starkare eller nyare inloggning.
trouble-login-too-weak-next = Logga in på nytt till exempel med bankkoder eller mobilcertifikat.
trouble-login-no-identifier-title = Du kunde inte identifieras
trouble-login-no-identifier-happened = Inloggningstjänsten berättade inte vem du är i stadens register.
trouble-login-no-identifier-next = Logga in på nytt på ett annat sätt eller kontakta staden.
trouble-provider-unavailable-title = Inloggningstjänsten svarar inte
trouble-provider-unavailable-happened = Det är ett avbrott i inloggningstjänsten. Det beror inte på dig.
trouble-provider-unavailable-next = Försök igen om en stund.
trouble-register-unavailable-title = Registret svarar inte
trouble-register-unavailable-happened = Stadens register kan inte nås just nu, så dina uppgifter kan inte visas. Inget beslut har fattats.
trouble-register-unavailable-next = Försök igen om en stund. Begäran väntar på din sida.
trouble-partner-unavailable-title = Den andra staden svarar inte
trouble-partner-unavailable-happened = Den andra stadens tjänst kan inte nås just nu.
trouble-partner-unavailable-next = Försök igen om en stund.
trouble-partner-not-trusted-title = Den som frågar kunde inte bekräftas
trouble-partner-not-trusted-happened = Den som frågar hör inte till städernas nätverk, eller så har medlemskapet upphört.
trouble-partner-not-trusted-next = Lämna inte dina uppgifter på annat sätt om du är osäker på vem som frågar. Kontakta tjänsten du kom från.
trouble-session-ended-title = Din session avslutades
trouble-session-ended-happened = Du var borta en stund och loggades ut av säkerhetsskäl.
trouble-session-ended-next = Logga in på nytt och fortsätt där du blev.
trouble-form-refused-title = Formuläret kunde inte tas emot
trouble-form-refused-happened = Formuläret var öppet för länge eller skickades från en annan plats än den här tjänsten.
trouble-form-refused-next = Öppna sidan på nytt och gör ditt val där.
trouble-too-many-title = För många försök
trouble-too-many-happened = Det kom så många begäranden på kort tid att tjänsten bromsade dem.
trouble-too-many-next = Vänta en minut och försök sedan igen.
trouble-bad-request-title = Begäran kunde inte tolkas
trouble-bad-request-happened = Det var något i begäran från webbläsaren som tjänsten inte förstod.
trouble-bad-request-next = Gå tillbaka till föregående sida och försök igen.
trouble-unavailable-title = Tjänsten är inte tillgänglig just nu
trouble-unavailable-happened = Tjänsten kunde inte kontrollera allt som behövs och gjorde därför ingenting.
trouble-unavailable-next = Försök igen om en stund.
trouble-internal-title = Det är ett fel i tjänsten
trouble-internal-happened = Felet finns i tjänsten och beror inte på dig. Det har antecknats.
trouble-internal-next = Försök igen om en stund. Kontakta staden om felet kvarstår.

## Problem types of the APIs

problem-kicker = Fel i programgränssnittet
problem-lead = Den här sidan berättar vad ett felmeddelande mellan program betyder. Ingens uppgifter har lämnats ut på grund av felet.
problem-meaning = Vad det betyder
problem-next = Vad man kan göra
problem-side = Hos vem felet är
problem-status = HTTP-status
problem-type = Typ
side-caller = Det anropande programmet
side-resident = Invånarens beslut
side-recipient = Staden som ber om uppgifter
side-holder = Staden som har uppgifterna
side-register = Registret
side-provider = Inloggningstjänsten
side-node = Den här noden
problem-invalid-request-title = Begäran har fel form
problem-invalid-request-meaning = Något saknas i begäran, eller så innehåller den ett fält eller ett värde som gränssnittet inte känner till.
problem-invalid-request-next = Rätta begäran enligt beskrivningen i svaret. Samma begäran på nytt hjälper inte.
problem-not-authenticated-title = Den som anropar är inte identifierad
problem-not-authenticated-meaning = Tjänstens uppgifter för identifiering saknas, är fel eller har gått ut.
problem-not-authenticated-next = Hämta en ny åtkomstnyckel med tjänstens egna uppgifter och försök igen.
problem-not-allowed-title = Den som anropar får inte göra det här
problem-not-allowed-meaning = Tjänsten är identifierad men har inte rätt till åtgärden.
problem-not-allowed-next = Kontrollera tjänstens rättigheter med stadens administratör.
problem-not-found-title = Objektet hittades inte
problem-not-found-meaning = Objektet finns inte eller hör inte till den som anropar. Svaret är detsamma i båda fallen.
problem-not-found-next = Kontrollera adressen och identifieraren.
problem-conflict-title = Begäran passar inte i det nuvarande läget
problem-conflict-meaning = Objektet har ändrats, eller så är åtgärden redan utförd.
problem-conflict-next = Läs läget på nytt och avgör utifrån det.
problem-too-large-title = Begäran är för stor
problem-too-large-meaning = Begäran överskrider den tillåtna storleken.
problem-too-large-next = Gör begäran mindre.
problem-too-many-requests-title = För många begäranden
problem-too-many-requests-meaning = Det kom fler begäranden på kort tid än vad som är tillåtet.
problem-too-many-requests-next = Vänta så länge som rubriken Retry-After anger.
problem-permission-waiting-title = Invånaren har inte beslutat ännu
problem-permission-waiting-meaning = Tillstånd har begärts men inget svar har kommit. Uppgifterna kan inte hämtas före det.
problem-permission-waiting-next = Led invånaren till beslutet eller vänta. Begäran förfaller av sig själv när tiden gått ut.
problem-permission-declined-title = Invånaren gav inte tillstånd
problem-permission-declined-meaning = Invånaren beslutade att inte ge tillstånd. Beslutet är slutligt för den här begäran.
problem-permission-declined-next = Sköt ärendet på annat sätt. Be inte om tillstånd på nytt inom 30 dagar.
problem-permission-ended-title = Tillståndet har upphört
problem-permission-ended-meaning = Invånaren återkallade tillståndet, tiden gick ut eller de tillåtna hämtningarna är gjorda.
problem-permission-ended-next = Be om ett nytt tillstånd vid behov.
problem-use-not-declared-title = Begäran går utöver den meddelade användningen
problem-use-not-declared-meaning = Begäran gällde uppgifter, ett syfte eller en tid som staden inte har meddelat för tjänsten.
problem-use-not-declared-next = Begränsa begäran eller uppdatera den meddelade användningen på /catalogue/uses.
problem-not-a-member-title = Parten hör inte till nätverket
problem-not-a-member-meaning = Den andra parten kunde inte bekräftas som medlem i städernas nätverk.
problem-not-a-member-next = Kontrollera medlemskapet och förtroendeankaret.
problem-exchange-refused-title = Den andra staden avvisade hämtningen
problem-exchange-refused-meaning = Staden som har uppgifterna godkände inte hämtningen. Inga uppgifter lämnades ut.
problem-exchange-refused-next = Läs tillståndets läge. Om det är i kraft, kontakta stadens administratör och uppge händelsenumret.
problem-answer-refused-title = Svaret godkändes inte
problem-answer-refused-meaning = Den andra stadens svar eller dess kvitto klarade inte kontrollen. Uppgifterna förkastades.
problem-answer-refused-next = Kontakta stadens administratör och uppge händelsenumret.
problem-holder-unavailable-title = Den andra staden svarar inte
problem-holder-unavailable-meaning = Staden som har uppgifterna kan inte nås.
problem-holder-unavailable-next = Försök igen enligt rubriken Retry-After.
problem-register-unavailable-title = Registret svarar inte
problem-register-unavailable-meaning = Registret där uppgifterna finns kan inte nås.
problem-register-unavailable-next = Försök igen enligt rubriken Retry-After.
problem-provider-unavailable-title = Inloggningstjänsten svarar inte
problem-provider-unavailable-meaning = Stadens inloggningstjänst kan inte nås.
problem-provider-unavailable-next = Försök igen enligt rubriken Retry-After.
problem-unavailable-title = Noden kan inte svara just nu
problem-unavailable-meaning = Noden kunde inte kontrollera allt som behövs och gjorde därför ingenting.
problem-unavailable-next = Försök igen enligt rubriken Retry-After.
problem-outcome-unknown-title = Det är inte känt om det här trädde i kraft
problem-outcome-unknown-meaning = Databasen svarade inte när ändringen skulle sparas. Ändringen kan ha gjorts, eller inte.
problem-outcome-unknown-next = Läs uppgiften på nytt innan du upprepar begäran.
problem-internal-title = Fel i noden
problem-internal-meaning = Det är ett fel i noden. Det har antecknats.
problem-internal-next = Kontakta administratören och uppge händelsenumret.

## Att pausa

notice-paused = Tillståndet är pausat. Inget hämtas förrän du låter det fortsätta.
notice-resumed = Tillståndet gäller igen.
notice-not-resumed = Tillståndet är fortfarande pausat: tjänsten uppger inte längre en användning som tillståndet omfattar.
pause-title = Att pausa
pause-lead = Du kan pausa tillståndet en tid. Inget hämtas medan det är pausat, och den sista dagen är densamma.
pause-now = Tillståndet är pausat. Inget hämtas. Du kan låta det fortsätta eller återkalla det helt.
pause-by-use = Tillståndet är pausat eftersom { $asker } har ändrat vad tjänsten får be om. Det fortsätter av sig självt om användningen passar igen, om du inte pausar det själv. Du kan också återkalla det helt.
pause-by-trust = Tillståndet är pausat eftersom vi just nu inte kan bekräfta att { $asker } är en betrodd medlem. Inget hämtas. Det fortsätter av sig självt när saken är i ordning, om du inte pausar det själv. Du kan också återkalla det helt.
pause = Pausa tillståndet
resume = Återuppta tillståndet
change-not-taken = Tillståndet upphörde eftersom ingen tog det i bruk i tid.
change-withdrawn = Staden avslutade tillståndet för säkerhets skull: någon försökte använda det en andra gång.
change-held-back = Tillståndet pausades eftersom tjänsten ändrade vad den får be om.
change-held-back-untrusted = Tillståndet pausades eftersom den mottagande stadens tillförlitlighet inte kunde bekräftas.
problem-permission-suspended-title = Tillståndet är pausat
problem-permission-suspended-meaning = Invånaren har pausat det, eller så omfattar den uppgivna användningen det inte nu. Det kan fortsätta senare.
problem-permission-suspended-next = Be inte på nytt. Tillståndets läge visar när det gäller.

## Starkare inloggning och lösennycklar

problem-confirmation-needed-title = Invånaren måste bekräfta på nytt
problem-confirmation-needed-meaning = Staden som har uppgifterna kräver nu en starkare eller färskare inloggning, eller en lösennyckel, än när tillståndet gavs.
problem-confirmation-needed-next = Be om tillståndet på nytt. Invånaren bekräftar det på det sätt som nu krävs.
passkeys-title = Lösennycklar
passkeys-lead = Med en lösennyckel bekräftar du dina beslut på din egen enhet, till exempel med fingeravtryck. Vissa uppgifter får ges bara om du bekräftar tillståndet också med en lösennyckel.
passkeys-none = Du har inga lösennycklar här.
passkeys-added = Tillagd
passkeys-used = Senast använd
passkeys-unused = Inte använd ännu
passkeys-remove = Ta bort lösennyckeln
passkeys-remove-hint = Att ta bort en nyckel ändrar inte tillstånd som du redan har gett.
passkeys-add = Lägg till lösennyckel
passkey-new-title = Lägg till en lösennyckel
passkey-new-lead = Webbläsaren frågar var lösennyckeln ska sparas: på den här enheten, i din telefon eller på en säkerhetsnyckel. Staden får inte veta ditt fingeravtryck eller din kod.
passkey-label = Lösennyckelns namn
passkey-label-hint = Ett namn som du känner igen, till exempel Telefon.
passkey-needs-script = En lösennyckel fungerar bara när JavaScript är på i webbläsaren och webbläsaren stöder lösennycklar. Det här är tjänstens enda ställe som behöver det.
passkey-failed = Lösennyckeln bekräftade inte. Inget ändrades. Försök igen.
passkey-known = Den här enheten har redan en lösennyckel till tjänsten. En ny behövs inte.
passkey-confirm-title = Bekräfta med lösennyckeln
passkey-confirm-lead = Med lösennyckeln bekräftar du att du ger det här tillståndet. Tillståndet går till { $city }.
passkey-confirm = Bekräfta tillståndet
passkey-confirm-back = Tillbaka till beslutet
passkey-confirm-after = Efter det bekräftar inloggningstjänsten samma tillstånd. Före det ges inget.
consent-passkey-ready = För de här uppgifterna bekräftar du tillståndet också med din lösennyckel.
consent-passkey-missing = För de här uppgifterna måste tillståndet bekräftas också med en lösennyckel, och du har ingen här.
consent-passkey-add = Lägg först till en lösennyckel
me-passkeys = För vissa sekretessbelagda uppgifter bekräftar du tillståndet också på din egen enhet.
me-passkeys-link = Se dina lösennycklar
permission-signed-with-passkey = Du bekräftade det också med din lösennyckel.
notice-passkey-added = Lösennyckeln är tillagd.
notice-passkey-removed = Lösennyckeln är borttagen.
notice-objection-made = Din invändning är registrerad. Staden svarar på den.
notice-objection-stands = Du har redan gjort en invändning mot den här användningen. Staden har inte svarat ännu.
trouble-passkey-needed-title = En lösennyckel behövs
trouble-passkey-needed-happened = För de här uppgifterna bekräftas tillståndet också med en lösennyckel, och du har ingen lämplig här.
trouble-passkey-needed-next = Lägg till en lösennyckel. Efter det kommer du tillbaka till beslutet.
trouble-passkey-refused-title = Lösennyckeln godtogs inte
trouble-passkey-refused-happened = Lösennyckelns bekräftelse motsvarade inte det som begärdes.
trouble-passkey-refused-next = Försök igen. Om du har en annan lösennyckel eller webbläsare, pröva den.
refusal-unconfirmed = Staden ber dig bekräfta det här tillståndet på nytt.

## Påminnelser, radering och besked som inte kommer fram

ends-soon = Upphör snart: { $day }
ends-soon-then = Tillståndet fortsätter inte av sig självt. Tjänsten måste fråga dig på nytt om den fortfarande behöver uppgifterna.
deletion-title = Radering av det som hämtats
deletion-due = { $asker } får behålla de hämtade uppgifterna högst till denna dag: { $day }. Raderingen har inte bekräftats ännu.
deletion-overdue = { $asker } fick behålla de hämtade uppgifterna bara till denna dag: { $day }. Raderingen har inte bekräftats.
deletion-ask = Du kan fråga dataskyddsombudet:
deletion-confirmed = { $asker } har bekräftat att de hämtade uppgifterna raderades { $day }.
permission-stop-given-up = Inga nya hämtningar görs. { $asker } har inte kunnat nås med beskedet om återkallelsen, eftersom den inte har svarat på länge.


# Receipts
receipts-title = Kvitton
receipts-lead = Du får ett kvitto på varje beslut och på varje ändring efter det. Staden har undertecknat dem elektroniskt.
receipts-none = Du har inga kvitton ännu.
receipts-all = Alla kvitton
receipt-title = Kvitto
receipt-open = Öppna kvittot
receipt-to-permission = Tillståndet
receipt-change-withdrawn = Staden avslutade tillståndet, eftersom det inte hämtades i tid eller någon försökte missbruka det.
receipt-event = Vad som hände
receipt-number = Kvittots nummer
receipt-permission-number = Tillståndets nummer
receipt-version = kvitto { $n }
receipt-when = När
receipt-how = Hur
receipt-method-signed = I den här tjänsten. Inloggningstjänsten bekräftade beslutet med en elektronisk underskrift.
receipt-method-portal = I den här tjänsten.
receipt-method-asker = Den som bad om uppgifterna meddelade det.
receipt-method-rule = Av sig självt, enligt tillståndets villkor.
receipt-person = Vems uppgifter
receipt-person-meaning = En beteckning som den som får uppgifterna känner dig vid. För andra säger den ingenting.
receipt-parties = Vem och till vem
receipt-from = Den som lämnar ut uppgifterna
receipt-to = Den som får uppgifterna
receipt-what = Vad och varför
receipt-service = Tjänst
receipt-purpose = Varför, ord för ord som du såg det
receipt-in-finnish = Visat på finska.
receipt-in-swedish = Visat på svenska.
receipt-in-english = Visat på engelska.
receipt-digest = Textens kontrollsumma:
receipt-data = Uppgifter
receipt-nothing-allowed = Inga uppgifter lämnades ut.
receipt-until = Sista dagen
receipt-times = Hämtningar högst
receipt-period = Tiden som uppgifterna gäller
receipt-rights = Dina rättigheter
receipt-withdraw = Så återkallar du tillståndet
receipt-withdraw-portal = I den här tjänsten:
receipt-withdraw-else = Utan den här tjänsten: uppge kvittots nummer per brev, e-post eller på plats:
receipt-complain = Klagomål
receipt-proof = Äkthet
receipt-proof-meaning = Staden har undertecknat kvittot elektroniskt. Spara det undertecknade kvittot: med det kan vem som helst kontrollera att inte en bokstav har ändrats.
receipt-check = Kontrollera ett kvitto
receipt-keys = Stadens nycklar
receipt-signature = Inloggningstjänstens bekräftelse
receipt-log = Anteckning i stadens logg
receipt-download-signed = Ladda ner det undertecknade kvittot
receipt-download-readable = Ladda ner en läsbar kopia
receipt-others = Alla kvitton på tillståndet
receipt-this = det här kvittot
evidence-bundle = Bevispaket
evidence-bundle-meaning = En fil med allt om tillståndet: ditt beslut, underskrifterna och kvittona. Den kan kontrolleras var som helst, också om flera år. Behåll den för dig själv.
evidence-bundle-download = Ladda ner bevispaketet
receipts-erased = Kvittona och bevispaketet för det här tillståndet har raderats, eftersom tiden för att spara dem har gått ut. De kopior som du själv har sparat kan fortfarande kontrolleras.
verify-title = Kontrollera ett kvitto
verify-lead = Här kan vem som helst kontrollera om ett kvitto är äkta. Du behöver inte logga in.
verify-file = Det undertecknade kvittot som fil
verify-paste = eller som text
verify-kept = Kvittot sparas inte.
verify-do = Kontrollera
verify-good = Kvittot är äkta
verify-not-good = Det går inte att lita på det här
verify-signed = { $signer } undertecknade det { $when }. Inte en bokstav har ändrats efter det.
verify-key-in-use = Underskriftens nyckel är i bruk.
verify-key-retired = Underskriftens nyckel har bytts ut. Underskrifter som gjorts med den tidigare gäller.
verify-key-given-up = Underskriftens nyckel har tagits ur bruk, men kvittot bokfördes före det.
verify-key-compromised = Någon annan kan ha fått tag i underskriftens nyckel, och det här kvittot är inte känt från tiden före det. Därför bevisar underskriften ingenting.
verify-says = Kvittot säger
verify-exchange = Uppgifter lämnades ut med stöd av ett tillstånd.
verify-records = Poster
verify-altered = Underskriften stämmer inte. Kvittot har ändrats efter att { $signer } undertecknade det, eller så var det någon annan som undertecknade. En enda ändrad bokstav räcker.
verify-unknown-key = Enligt kvittot undertecknades det av { $signer }, som dock inte har publicerat en sådan nyckel. Äktheten kan inte kontrolleras här.
verify-unknown-signer = Enligt kvittot undertecknades det av { $signer }, som inte hör till städernas nätverk.
verify-unavailable = Enligt kvittot undertecknades det av { $signer }, vars nycklar inte kan hämtas nu. Försök igen senare.
verify-unsigned = Det här är den läsbara kopian, som ingen har undertecknat. För kontroll behövs det undertecknade kvittot.
verify-no-receipt = Det här är inget kvitto, eller så saknas en del av det. Ladda upp eller klistra in hela det undertecknade kvittot.
## Gränser som invånaren väljer

consent-times-per-label = Högst antal hämtningar under { $period }
consent-reach-legend = Vilken tid får uppgifterna gälla?
consent-reach-lead = Du kan ge bara det som gäller en viss tid. Lämna båda tomma om du ger dem som det står ovan.
consent-reach-from = Från
consent-reach-to = Till
consent-retention-choice = Du kan välja en kortare tid
times-value-per = { $used } hittills, högst { $allowed } under { $period }
use-times-per = { $n } under { $period }
refusal-too-often = Uppgifterna hade redan hämtats så många gånger som du tillåtit för den tiden.

## Ett nytt tillstånd i stället för ett annat

instead-title = Vad som skulle ändras
instead-extends = Du har redan gett tillstånd till det här. Det nya skulle komplettera det och ersätta det.
instead-replaces = Du har redan gett tillstånd till det här. Det nya skulle ersätta det.
instead-new-fields = Begärs dessutom
instead-dropped-fields = Begärs inte längre
instead-persons = Tillståndet har hittills gällt
instead-was = Nu: { $value }.
instead-would-be = Begärs: högst { $value }.
instead-otherwise = Om du inte ger det nya tillståndet gäller ditt nuvarande som förut.

## Nej för gott

denials-title = Vad jag har nekat
denials-lead = Du kan för gott neka det som en tjänst, en stad eller vem som helst får be om. En sådan begäran besvaras genast med nej, utan att du tillfrågas. Bara du ser bland dina händelser att den kom. Efter ett vanligt nej frågar samma tjänst inte om samma sak igen på 30 dagar.
denials-open = Vad jag har nekat
denials-none = Du har inte nekat något.
denials-what = Vad som nekas
denials-city = Allt som den här staden ber om
denials-use = Den här användningen
denials-data = De här uppgifterna, vem som än ber
denials-since = Sedan
denials-until = Till och med
denials-for-good = För gott
denials-remove = Låt dem fråga igen
denials-add-title = Neka vissa uppgifter för alla
denials-add-lead = Tillstånd som du har gett gäller fortfarande. En enskild tjänst eller stad kan nekas på dess egen sida.
denials-data-label = Uppgifter
denials-add = Neka för gott
notice-denial-added = Det är nekat för gott. Du tillfrågas inte om det.
notice-denial-removed = Du kan bli tillfrågad om det igen.
never-label = Får du bli tillfrågad igen om du inte ger tillstånd?
never-ask-again = Ja, jag får tillfrågas igen
never-use = Fråga inte igen om den här användningen
never-partner = { $city } får inte fråga mig om något
never-dataset = Ingen får be om de här uppgifterna
never-lead = Det här gäller bara om du inte ger tillstånd. Du kan ändra det på din sida.
refusal-standing-denial = Du har nekat det. Den som bad fick bara ett nej.
## Medlemmar: vem som går i god för vem

partners-verified-lead = Bara bekräftade medlemmar i städernas nätverk kan be om uppgifter eller lämna ut dem. För var och en går elektroniska underskrifter i god, och den här tjänsten kontrollerar dem själv om och om igen.
partners-unknown = Just nu går det inte att kontrollera vilka som hör till nätverket. Tills det går ber ingen om något och inget skickas.
partners-verified = Bekräftad medlem i nätverket
partners-by = Går i god för den
partners-roles = Vad den får göra
partners-role-consent-issuer = låter invånare bestämma om sina uppgifter
partners-role-data-holder = lämnar ut uppgifter som invånare har gett tillstånd till
partners-role-data-recipient = ber om uppgifter och hämtar dem
partners-role-none = tills vidare ingenting
partners-until = Gäller till
partners-renewed = Det förnyas före det om allt är som det ska.
partners-details = För den som vill kontrollera
partners-address = Adress
partners-mark = Förtroendemärke
partners-mark-by = Ges av
partners-statement = Signerat utlåtande
partners-statement-about = { $issuer } om { $subject }
partners-keys = Nycklar
partners-broken = Inte tillgänglig just nu
partners-broken-effect = Med den går det inte att be om eller hämta något förrän felet har rättats. De tillstånd som du har gett förblir som de är.
partners-side-here = Felet finns hos den här staden själv.
partners-side-member = Felet finns hos medlemmen.
partners-side-intermediate = Felet finns hos den som går i god för medlemmen.
partners-side-anchor = Felet finns i nätverkets gemensamma förtroendetjänst.
partners-side-network = Felet finns i förbindelserna mellan städerna.
partners-why-silent = Inget svar kommer.
partners-why-unfit = Ett svar kommer, men dess signaturer kunde inte bekräftas.
partners-why-not-member = Ingen går längre i god för den här medlemmen.
partners-why-no-role = Den är medlem men har inte rätt att be om eller lämna ut uppgifter.

error-log-in = Logga in och fortsätt
error-choices-kept = Dina val är sparade. Du ser dem igen när du har loggat in.
trouble-stop-unknown-title = Det är inte säkert ännu om det här trädde i kraft
trouble-stop-unknown-happened = Tjänsten fick inget svar i tid. Din begäran kan ha trätt i kraft, eller inte.
trouble-stop-unknown-next = Öppna tillståndet och se hur det är nu. Om det fortfarande gäller kan du försöka igen: det gör ingen skada att göra det två gånger.
trouble-outcome-unknown-title = Det är inte säkert ännu om det här trädde i kraft
trouble-outcome-unknown-happened = Tjänsten fick inget svar i tid. Det du gjorde kan ha trätt i kraft, eller inte.
trouble-outcome-unknown-next = Öppna din egen sida och se hur det är nu. Om det inte trädde i kraft kan du göra det igen: det gör ingen skada att göra det två gånger.
decided-before-allowed = Du gav det här tillståndet { $moment }.
decided-before-declined = Du gav inte det här tillståndet.
field-errors-in-title = Fel:
field-errors-title = Kontrollera det du fyllde i
field-errors-kept = Inget är bestämt ännu. Alla dina val finns kvar.
field-until-not-a-day = Skriv sista dagen som ett datum, till exempel 31.12.2027.
field-until-outside = Sista dagen ska vara mellan { $earliest } och { $latest }.
field-persons-none = Välj vems uppgifter tillståndet gäller: minst en person eller en uppgift.
field-persons-both = Du valde både allt om en person och en enskild uppgift om samma person. Lämna bara det ena.
field-persons-too-many = Det är för mycket för ett tillstånd. Välj högst { $persons } personer och { $records } enskilda uppgifter.
field-times = Skriv hur många hämtningar du tillåter: ett tal från 1 till { $most }.
field-reach-from-not-a-day = Skriv första dagen som ett datum, till exempel 1.8.2026, eller lämna fältet tomt.
field-reach-to-not-a-day = Skriv sista dagen som ett datum, till exempel 31.7.2027, eller lämna fältet tomt.
field-reach-reversed = Sista dagen kan inte vara före första dagen.
field-reach-outside = Dagen ska vara mellan { $from } och { $to }.

nav-data = Mina uppgifter
holdings-title = Mina uppgifter
holdings-lead = { $city } har de här uppgifterna om dig. De läses ur registren just nu.
holdings-not-stored = De här uppgifterna sparas inte här. Det kan finnas uppgifter om dig också i register som inte finns på den här sidan.
holdings-no-datasets = Inget register är anslutet till tjänsten.
holdings-contents = På den här sidan
holdings-all = Alla mina uppgifter
holdings-reading = Registret läses…
holdings-none = Registret har inga uppgifter om dig.
holdings-later = Dina uppgifter finns i registret från { $moment }. Öppna sidan igen efter det.
holdings-login-needed = De här uppgifterna visas först efter en starkare eller nyare inloggning.
holdings-log-in = Logga in på nytt
holdings-unavailable = Det här registret svarade inte, så uppgifterna om dig i det kan inte visas just nu.
holdings-try-again = Försök igen
holdings-why = Varför staden har uppgifterna, och hur länge
holdings-correct = Är något fel? Be om rättelse:
holdings-download-title = Ta en kopia
holdings-download-lead = Allt det här som en fil: en sida att läsa, tabeller och en underskrift som visar att staden har gett den. Förvara filen väl: var och en som har den kan läsa den.
holdings-download = Ladda ner mina uppgifter
export-title = Mina uppgifter, { $city }
export-title-article-15 = { $city }: svar på din begäran om dina uppgifter
export-made = Läst ur registren { $moment }.
export-files = Samma uppgifter finns bredvid sidan som tabeller (.csv) och för program i filen data.json. I filen manifest.jws finns stadens underskrift över alla filer.
export-others = Det kan finnas uppgifter om dig också i register som inte är anslutna till tjänsten.
export-table = Tabell
export-later = De här uppgifterna finns i registret från { $moment } och finns därför inte i kopian.
export-login-too-weak = Inte i kopian: de här uppgifterna ges först efter en starkare eller nyare inloggning.
export-unavailable = Inte i kopian: registret svarade inte.
export-permissions = Tillstånd som du har gett
export-permissions-none = Du har inte gett några.
export-rights = Dina rättigheter
export-rights-text = Du kan be om rättelse, radering eller begränsning av användningen och invända mot den.

## Uses by contract and law

uses-title = Vad dina uppgifter används till
uses-lead = Vad { $city } använder invånarnas uppgifter till. En del bestämmer du själv, en del bygger på ett avtal och en del på lag.
uses-choice-title = Du bestämmer
uses-choice = Tjänster som ber om de här uppgifterna får dem bara med ditt tillstånd. Du kan återkalla ett tillstånd när som helst.
uses-contract-title = Ett avtal
uses-contract = Du har avtalat om något med staden, och för det behövs de här uppgifterna. När avtalet upphör, upphör också användningen.
uses-contract-none = Ingen användning av stadens uppgifter bygger på ett avtal.
uses-law-title = Lagen avgör
uses-law = De här bygger på lag. Du tillfrågas inte om tillstånd. Du kan alltid fråga och be att en felaktig uppgift rättas. Där lagen ger dig rätt att göra invändningar finns en knapp för det.
uses-law-none = Här finns ingen användning som bygger på lag.
uses-yours = Dina uppgifter
uses-reported = { $n ->
    [one] Använda en gång, { $moment }.
   *[other] Använda { $n } gånger, senast { $moment }.
    }
uses-see-log = Se händelserna
uses-not-reported = Ingen användning av dina uppgifter har rapporterats.
uses-unknown = Tjänsten rapporterar inte användningen ännu. Det kan hända att den inte gäller dig.
uses-object = Gör en invändning
uses-objected = Du gjorde en invändning mot användningen den { $day }.
uses-objection-waits = Staden har inte svarat ännu.
uses-objection-upheld = Staden godkände din invändning den { $day }.
uses-objection-rejected = Staden svarade den { $day } att den måste fortsätta användningen.
object-title = Gör en invändning mot användningen
object-what = Du kan be staden sluta använda dina uppgifter på det här sättet av skäl som har med din egen situation att göra. Staden utreder saken och svarar. Den får fortsätta bara om den har ett tungt vägande skäl.
object-statement = Varför invänder du? Du behöver inte skriva något.
object-statement-hint = Skriv inte någons personbeteckning här.
object-send = Registrera invändningen
object-back = Gå tillbaka
object-next = Din invändning och svaret på den syns på sidan om användning. Du kan också skriva till:
