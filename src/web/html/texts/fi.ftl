# Portaalin tekstit suomeksi.
# Same keys and arguments in fi.ftl, sv.ftl and en.ftl; a difference does not compile.

## Every page

service-name = Omat tiedot ja luvat
skip-link = Siirry sisältöön
nav-label = Päävalikko
language-label = Kieli
nav-home = Etusivu
nav-overview = Oma sivu
nav-sharing = Luvat
nav-uses = Käyttö
nav-log = Tapahtumat
nav-partners = Palvelut
nav-catalogue = Tietoluettelo
log-in = Kirjaudu sisään
log-out = Kirjaudu ulos
signed-in = Olet kirjautunut sisään
demo-banner = Tämä on esittelyversio. Asukkaat ja heidän tietonsa ovat keksittyjä.
footer-contact = Kysyttävää palvelusta?
footer-dpo = Tietosuojavastaava
footer-city = Tästä palvelusta vastaa { $city }.
and = ja
notice-stopped = Lupa on peruttu. Uusia hakuja ei tehdä.
notice-had-ended = Lupa oli jo päättynyt. Sinun ei tarvitse tehdä mitään.

## Values, periods, legal bases

value-yes = kyllä
value-no = ei
value-none = ei tietoa
period-years = { $n ->
    [one] { $n } vuosi
   *[other] { $n } vuotta
    }
period-months = { $n ->
    [one] { $n } kuukausi
   *[other] { $n } kuukautta
    }
period-weeks = { $n ->
    [one] { $n } viikko
   *[other] { $n } viikkoa
    }
period-days = { $n ->
    [one] { $n } päivä
   *[other] { $n } päivää
    }
period-none = Tietoja ei säilytetä
basis-permission = Oma lupasi eli suostumus (tietosuoja-asetus, 6 artiklan 1 kohdan a alakohta)
basis-contract = Sopimus, jossa olet osapuolena (tietosuoja-asetus, 6 artiklan 1 kohdan b alakohta)
basis-legal-obligation = Laki velvoittaa kaupungin käyttämään tietoja (tietosuoja-asetus, 6 artiklan 1 kohdan c alakohta)
basis-vital-interests = Hengen tai terveyden suojaaminen (tietosuoja-asetus, 6 artiklan 1 kohdan d alakohta)
basis-public-task = Kaupungin lakisääteinen tehtävä (tietosuoja-asetus, 6 artiklan 1 kohdan e alakohta)
basis-legitimate-interest = Oikeutettu etu (tietosuoja-asetus, 6 artiklan 1 kohdan f alakohta)
basis-explicit-permission = Nimenomainen lupasi arkaluonteisten tietojen käyttöön (tietosuoja-asetus, 9 artiklan 2 kohdan a alakohta)
basis-special-category = Laki sallii arkaluonteisten tietojen käytön tähän tehtävään (tietosuoja-asetus, 9 artiklan 2 kohta)
basis-other = Muu peruste. Kysy lisää tietosuojavastaavalta.
sensitive = Arkaluonteinen

## Permissions and the log

status-active = Voimassa
status-suspended = Keskeytetty
status-stopped = Peruttu
status-expired = Päättynyt
status-used-up = Käytetty
status-replaced = Korvattu uudella
until-label = Voimassa
until-day = { $day } asti
given-label = Annettu
ended-label = Päättyi
times-label = Hakukerrat
times-value = tähän mennessä { $used }, enintään { $allowed }
permission-open = Näytä lupa
stop = Peru lupa
log-when = Milloin
log-who = Kuka
log-what = Mitä
log-why = Miksi
log-basis = Peruste
log-outcome = Tulos
outcome-released = Tiedot annettiin
outcome-refused = Tietoja ei annettu
outcome-unconfirmed = Perillemenoa ei ole vielä vahvistettu.
outcome-deferred = Tietoja ei vielä ole
outcome-deferred-until = Tietoja ei annettu. Rekisterissä ne ovat { $moment } alkaen.
outcome-used = Tietoja käytettiin
outcome-used-from = Alkaen { $moment }.
outcome-delayed = Tätä ei näytetty sinulle heti, koska laki sallii odottaa.
refusal-stopped = Olit perunut luvan.
refusal-suspended = Lupa oli keskeytetty.
refusal-expired = Luvan voimassaolo oli päättynyt.
refusal-used-up = Sallitut haut oli jo tehty.
refusal-not-covered = Pyydettiin tietoja, joita lupasi ei koske.
refusal-not-verified = Pyynnön aitoutta ei voitu varmistaa.
refusal-not-member = Pyytäjä ei kuulu kaupunkien verkostoon.
refusal-register-unavailable = Rekisteri ei vastannut.
refusal-unavailable = Kaupunki ei voinut varmistaa, saako tiedot antaa.
reporting = { $n ->
    [one] Näet yhden järjestelmän tapahtumat.
   *[other] Näet { $n } järjestelmän tapahtumat.
    }
reporting-silent = { $n ->
    [one] Yksi järjestelmä ei vielä ilmoita tapahtumiaan tänne.
   *[other] { $n } järjestelmää ei vielä ilmoita tapahtumiaan tänne.
    }
reporting-others = Kaupungin muut järjestelmät eivät vielä ilmoita tapahtumiaan tänne.

## Front page

home-title = Sinä päätät, mihin tietosi menevät
home-lead = Kaupungit voivat antaa toisilleen tietoja sinusta vain sinun luvallasi. Täällä näet, kuka pyytää ja miksi, ja voit perua luvan milloin tahansa.
home-how-title = Näin se toimii
home-step-one-title = Palvelu pyytää
home-step-one = Esimerkiksi uuden kotikaupungin varhaiskasvatus pyytää lapsesi paikan tietoja entisestä kotikaupungista.
home-step-two-title = Sinä näet ja päätät
home-step-two = Näet omat tietosi sellaisina kuin ne annettaisiin. Annat luvan tai et anna. Kumpikin on tavallista.
home-step-three-title = Näet, mitä tapahtui
home-step-three = Jokainen haku jää näkyviin. Kun perut luvan, uusia hakuja ei tehdä.
home-cities-title = Mukana olevat kaupungit
home-cities-lead = Kirjaudu sen kaupungin sivuille, jossa tietosi ovat.
home-here = Olet täällä
home-look-title = Katso ilman kirjautumista
home-look-catalogue = Mitä tietoja kaupungilla on, ja kuka niitä käyttää
home-look-partners = Mitkä palvelut voivat pyytää tietojasi
home-open-mine = Avaa oma sivu

## My page

me-title = Oma sivu
me-title-name = Hei, { $name }
me-waiting-title = Odottaa päätöstäsi
me-waiting-none = Mikään pyyntö ei odota päätöstäsi.
me-decide = Katso ja päätä
me-open-until = Avoinna { $moment } asti
me-sharing-title = Voimassa olevat luvat
me-sharing-none = Sinulla ei ole voimassa olevia lupia. Tietojasi ei haeta luvallasi mihinkään.
me-sharing-all = Kaikki luvat
me-log-title = Viimeisimmät haut
me-log-none = Tietojasi ei ole haettu.
me-log-all = Kaikki tapahtumat
me-start-title = Haluatko antaa luvan itse?
me-start = Voit valita palvelun, joka saa hakea tietosi, ilman että se ensin pyytää.
me-start-link = Katso palvelut

## Activity

log-title = Tapahtumat
log-lead = Kaikki kerrat, jolloin joku on pyytänyt tietojasi: myös ne, jolloin tietoja ei annettu. Lisäksi käyttö, josta kaupungin järjestelmät ovat ilmoittaneet.
log-none = Kukaan ei ole pyytänyt tietojasi.
log-newest = Uusimmat
log-data-not-named = Tietoja ei ole eritelty
log-systems = Mitkä järjestelmät ilmoittavat tänne
log-system-last = ilmoitti viimeksi { $moment }
log-system-never = ei ole vielä ilmoittanut mitään
log-system-silent = ei vielä ilmoita
log-older = Vanhemmat
log-pages = Sivut
trackers-title = Mitä rekisterit ovat itse kirjanneet
trackers-lead = Nämä lähteet pitävät itse kirjaa tietojesi käytöstä. Niiltä kysytään juuri nyt, eikä vastauksia tallenneta tänne.
trackers-asking = Kysytään:
tracker-kept-from = Lähde säilyttää käyttötietoja { $moment } alkaen.
tracker-kept-between = Lähde säilyttää käyttötietoja ajalta { $from } – { $to }.
tracker-kept-unknown = Lähde ei kertonut, kuinka pitkältä ajalta sillä on käyttötietoja.
tracker-none = Lähde ei ole kirjannut tietojesi käyttöä.
tracker-no-older = Vanhempia käyttötietoja ei ole.
tracker-unavailable = Lähde ei vastaa nyt, joten sen kirjaamia käyttötietoja ei voi näyttää.
tracker-busy = Lähteeltä ei kysytty, koska toista sivuasi koottiin vielä.
export-tracker-latest = Vain uusimmat käyttötiedot: lähteessä voi olla niitä enemmän.
export-tracker-unavailable = Ei tässä kopiossa: lähde ei vastannut, tai vastaus ei ollut oikeanlainen.

## Permissions

sharing-title = Luvat
sharing-lead = Kuka saa hakea tietojasi, mitä varten ja mihin asti.
sharing-in-force = Voimassa
sharing-ended = Päättyneet ja antamatta jätetyt
sharing-ended-none = Ei päättyneitä lupia.

## One permission

permission-facts = Mistä luvassa on kyse
permission-who = Kuka saa hakea
permission-where = Mistä tiedot haetaan
permission-what = Mitä tietoja
permission-left-out = Jätit pois
permission-origin = Miten lupa syntyi
origin-service = Palvelu pyysi lupaa
origin-resident = Annoit luvan omasta aloitteestasi
permission-evidence = Vahvistus
permission-signed = Kirjautumispalvelu on vahvistanut päätöksesi sähköisellä allekirjoituksella.
permission-unsigned = Todiste päätöksestäsi on poistettu, koska sen säilytysaika on päättynyt.
permission-stop-title = Luvan peruminen
permission-stop-lead = Voit perua luvan heti. Syytä ei kysytä.
permission-stop-limits = Uusia hakuja ei sen jälkeen tehdä. Jo haetut tiedot jäävät palvelulle, joka ne haki.
permission-stop-waiting = Uusia hakuja ei tehdä. { $asker } on saanut tai saa tiedon perumisesta, mutta ei ole vielä vahvistanut sitä.
permission-stop-confirmed = Uusia hakuja ei tehdä. { $asker } vahvisti perumisen { $moment }.
permission-history = Luvan vaiheet
permission-exchanges = Haut tällä luvalla
permission-exchanges-none = Tällä luvalla ei ole haettu mitään.
change-given = Annoit luvan.
change-declined = Et antanut lupaa.
change-stopped = Peruit luvan.
change-given-back = Pyytäjä luopui luvasta.
change-suspended = Lupa keskeytettiin.
change-resumed = Lupa tuli taas voimaan.
change-expired = Luvan viimeinen päivä meni umpeen.
change-used-up = Viimeinen sallittu haku tehtiin.
change-replaced = Uusi lupa korvasi tämän.
change-stop-confirmed = Pyytäjä vahvisti, ettei se enää hae tietoja.

## Stopping

stop-title = Perutaanko lupa?
stop-effects-title = Mitä tapahtuu, kun perut luvan
stop-effect-now = Uusia hakuja ei tehdä. Tämä tulee voimaan heti.
stop-effect-told = { $asker } saa tiedon perumisesta. Näet sivulta, milloin se on vahvistettu.
stop-limits-title = Mitä peruminen ei muuta
stop-limits = { $n ->
    [0] Tietojasi ei ole vielä haettu tällä luvalla.
    [one] Tietosi on haettu kerran. Jo haetut tiedot jäävät palvelulle, joka ne haki.
   *[other] Tietosi on haettu { $n } kertaa. Jo haetut tiedot jäävät palvelulle, joka ne haki.
    }
stop-limits-retention = Palvelun säilytysaika: { $period }.
stop-confirm = Peru lupa
stop-keep = Pidä lupa voimassa

## The decision

consent-kicker = Lupapyyntö
consent-title = { $city } pyytää lupaasi
consent-who-title = Kuka pyytää
consent-asker = Pyytäjä
consent-holder = Tiedot ovat täällä
consent-verified = Tarkistettu: kuuluu kaupunkien verkostoon
consent-purpose-title = Mitä varten
consent-data-title = Mitä tietoja
consent-data-lead = Tietosi näkyvät tässä sellaisina kuin ne ovat juuri nyt. Mitään ei ole vielä lähetetty.
consent-required-title = Tarvitaan
consent-required-lead = Palvelu ei voi käsitellä asiaasi tätä kautta ilman näitä.
consent-optional-title = Voit antaa myös
consent-optional-lead = Valitse vain ne, jotka haluat antaa. Voit jättää kaikki valitsematta.
consent-not-asked-title = Näitä ei anneta
consent-record = { $n }. merkintä
consent-records-none = Rekisterissä ei ole juuri nyt tietoja, jotka lupa koskisi. Lupa koskee tietoja, jos niitä tulee.
consent-records-later = Tietosi ovat rekisterissä { $moment } alkaen, joten niitä ei voi vielä näyttää tässä.
consent-records-later-decide = Voit päättää nyt näkemättä niitä tai avata sivun uudelleen sen jälkeen. Pyyntö on avoinna { $until } asti. Jos annat luvan, tiedot haetaan vasta, kun ne ovat rekisterissä.
non-disclosure = Tietoja koskee turvakielto. Näitä tietoja ei anneta täältä kenellekään:
consent-persons-title = Kenen tiedot
consent-persons-lead = Valitse, mitä lupa koskee. Voit valita kaikki yhden henkilön tiedot tai yksittäisiä merkintöjä. Muita ei anneta.
consent-person-all = Kaikki yllä olevat tiedot: { $name }, myös myöhemmin lisättävät
consent-record-only = Vain: { $record }
consent-person-only = Lupa koskee yllä olevia tietoja, jotka ovat henkilöstä { $name }, myös myöhemmin lisättäviä. Muiden tietoja se ei koske.
consent-person-records-only = Lupa koskee vain näitä tietoja henkilöstä { $name }:
consent-persons-everybody = Lupa koskee näitä tietoja kaikista, joiden tietoja rekisterissä on sinun nimissäsi, myös myöhemmin lisättäviä.
consent-persons-everybody-later = Voit valita, kenen tietoja lupa koskee, kun tiedot ovat rekisterissä: avaa sivu silloin uudelleen.
consent-person = { $n }. henkilö
consent-person-you = Sinä
consent-persons-not-held = Palvelu pyytää tietyn henkilön tai tietyn merkinnän tietoja. Kaupungilla ({ $city }) ei ole sinusta tällaisia tietoja, joten niitä ei voi antaa.
consent-return = Takaisin palveluun
permission-persons = Kenen tiedot
permission-persons-all = kaikki, myös myöhemmin lisättävät
consent-time-title = Kuinka kauan
consent-duration-legend = Kuinka usein tiedot saa hakea?
consent-once = Yhden kerran
consent-once-hint = Viimeistään { $day }. Sen jälkeen lupa päättyy.
consent-until = Tiettyyn päivään asti
consent-until-hint = Tietoja saa hakea uudelleen, jos ne muuttuvat. Viimeistään { $day }.
consent-until-label = Viimeinen päivä
consent-times-label = Hakuja enintään
consent-no-renewal = Lupa ei jatku itsestään.
consent-reach-label = Miltä ajalta
consent-reach-current = Tiedot sellaisina kuin ne ovat rekisterissä hakuhetkellä
consent-after-title = Mitä tiedoille tapahtuu
consent-retention-label = Kuinka kauan pyytäjä säilyttää tiedot
consent-onward-label = Tietojen antaminen eteenpäin
consent-onward-none = Tietoja ei anneta eteenpäin.
consent-basis-title = Peruste ja vastuu
consent-basis-label = Käytön peruste
consent-basis-choice = Tämä on sinun valintasi. Mikään laki ei velvoita antamaan lupaa.
consent-basis-law = Käyttö perustuu lakiin, mutta tietoja ei haeta tätä kautta ilman lupaasi.
consent-controller-label = Tiedoista vastaa (rekisterinpitäjä)
consent-complaint = Jos tietojasi käsitellään mielestäsi väärin, voit valittaa tietosuojavaltuutetulle.
consent-no-title = Jos et anna lupaa
consent-no-reason = Syytä ei kysytä, ja saman asian voi hoitaa toisinkin.
consent-stop-title = Jos muutat mielesi
consent-stop = Voit perua luvan milloin tahansa omalta sivultasi. Uusia hakuja ei sen jälkeen tehdä.
consent-stop-limits = Jo haetut tiedot jäävät pyytäjälle edellä kerrotuksi ajaksi.
consent-as-title = Kenen puolesta päätät
consent-as-you = Päätät kirjautuneena nimellä { $name }.
consent-as-self = Päätät omasta puolestasi.
consent-as-children = Päätös koskee huollettavaasi tai huollettaviasi:
consent-decide-title = Päätöksesi
consent-decide-lead = Kun annat luvan, kirjautumispalvelu vahvistaa päätöksesi. Yleensä sinun ei tarvitse kirjautua uudelleen.
consent-allow = Anna lupa
consent-deny = Älä anna lupaa
consent-later = Voit myös sulkea sivun ja päättää myöhemmin. Pyyntö on avoinna { $moment } asti.

## After the decision

decided-allowed-title = Lupa on annettu
decided-allowed = { $asker } saa nyt hakea nämä tiedot.
decided-allowed-stop = Näet jokaisen haun omalta sivultasi ja voit perua luvan milloin tahansa.
decided-declined-title = Lupaa ei annettu
decided-declined = Tietojasi ei lähetetty. Sinun ei tarvitse tehdä muuta.
decided-to-me = Siirry omalle sivulle

## Wrong person

wrong-title = Tämä pyyntö on tarkoitettu toiselle henkilölle
wrong-happened = Palvelu odottaa toisen henkilön päätöstä. Siksi et voi antaa lupaa omilla tiedoillasi.
wrong-next = Jos käytät yhteistä laitetta, kirjaudu ulos. Silloin oikea henkilö voi kirjautua ja päättää. Jos avasit pyynnön itse, palaa palveluun ja tarkista asiasi tiedot.

## Data catalogue

catalogue-title = Tietoluettelo
catalogue-lead = Mitä tietoja { $city } säilyttää asukkaistaan, mihin se niitä käyttää ja kuka muu voi niitä pyytää.
catalogue-search-label = Hae tietoluettelosta
catalogue-search-hint = Esimerkiksi päivähoito tai osoite
catalogue-search = Hae
catalogue-all = Näytä kaikki
catalogue-found = { $n ->
    [0] Haullasi ei löytynyt mitään. Kokeile toista sanaa.
    [one] Löytyi yksi tietoaineisto.
   *[other] Löytyi { $n } tietoaineistoa.
    }
catalogue-empty = Luettelossa ei ole vielä tietoaineistoja.
catalogue-own-use = Kaupungin oma käyttö
catalogue-own-use-law = Tämä perustuu lakiin. Lupaasi ei kysytä.
catalogue-others = Kuka muu voi pyytää
catalogue-others-none = Mikään palvelu ei pyydä näitä tietoja.
catalogue-others-permission = Nämä palvelut saavat tiedot vain sinun luvallasi.
catalogue-narrows-records = Luvan voi antaa yhden henkilön tietoihin tai yksittäisiin merkintöihin.
catalogue-narrows-persons = Luvan voi antaa yhden henkilön tietoihin.
catalogue-unreachable = Näiden kaupunkien palveluja ei juuri nyt voida näyttää:
catalogue-register = Rekisteri
dataset-fields = Tiedot
dataset-sensitive-note = Arkaluonteisia tietoja suojataan erityisen tarkasti.
dataset-basis = Millä perusteella kaupunki käyttää tietoja
dataset-legislation = Säädökset
dataset-retention = Säilytysaika
dataset-formats = Sama kuvaus ohjelmille
processing-service = Palvelu
processing-retention = Kuinka kauan tietoja säilytetään
processing-recipients = Kenelle tietoja annetaan
processing-nobody = Ei kenellekään
processing-ask = Kysy
processing-correct = Jos tiedoissa on virhe
processing-correct-link = Pyydä korjausta

## Services

partners-title = Palvelut, jotka voivat pyytää tietojasi
partners-lead = Kaupungit ilmoittavat etukäteen, mitä mikin palvelu voi pyytää ja mihin. Muuta ne eivät voi pyytää.
partners-here = tämä kaupunki
partners-none = Kaupunki ei ole ilmoittanut palveluja.
partners-unreachable = Kaupungin palveluja ei juuri nyt voida näyttää. Yritä hetken kuluttua uudelleen.
partners-no-data = Tällä kaupungilla ei ole näitä tietoja.
partners-open = Katso tarkemmin
use-kicker = Palvelu
use-asks = Mitä palvelu pyytää
use-required = Tarvitaan aina
use-optional = Voit jättää pois
use-limits = Enimmäisrajat
use-max-days = Lupa kestää enintään
use-max-times = Hakuja enintään
use-otherwise = Jos et anna lupaa
use-start-title = Anna lupa omasta aloitteestasi
use-start-lead = Näet ensin tietosi ja päätät sitten. Mitään ei lähetetä ennen sitä.
use-start = Katso tiedot ja päätä
use-start-login = Kirjaudu ja jatka
use-no-data = Tällä kaupungilla ei ole tietoja, joita palvelu pyytää. Siksi lupaa ei voi antaa täällä.

## Logging in and out

logged-out-title = Olet kirjautunut ulos
logged-out-here = Istuntosi tässä palvelussa on päättynyt. Kirjautumispalvelun istunto voi olla vielä auki. Sulje selain, jos laite on yhteinen.
logged-out-onward = Istuntosi tässä palvelussa on päättynyt. Seuraavaksi päättyy istuntosi kirjautumispalvelussa.
logged-out-continue = Jatka

## Errors

error-nothing-sent = Tietojasi ei lähetetty.
error-what-now = Mitä voit tehdä
error-trace = Tapahtuman numero
error-trace-hint = Kerro tämä numero, jos otat yhteyttä.
error-retry = Yritä uudelleen
error-home = Etusivulle
error-me = Omalle sivulle
trouble-not-found-title = Sivua ei löytynyt
trouble-not-found-happened = Osoitteessa voi olla virhe, tai sivu on poistettu.
trouble-not-found-next = Tarkista osoite tai aloita etusivulta.
trouble-request-unknown-title = Pyyntöä ei löytynyt
trouble-request-unknown-happened = Tällaista pyyntöä ei ole, tai se ei ole sinulle.
trouble-request-unknown-next = Palaa palveluun, josta tulit, ja aloita sieltä uudelleen. Sinulle tulleet pyynnöt näet omalta sivultasi.
trouble-request-expired-title = Pyyntö on vanhentunut
trouble-request-expired-happened = Pyyntöön ei ehditty vastata, ja se raukesi itsestään.
trouble-request-expired-next = Jos haluat yhä hoitaa asian, palaa palveluun ja pyydä sitä tekemään uusi pyyntö.
trouble-already-decided-title = Olet jo päättänyt tästä
trouble-already-decided-happened = Pyyntöön on jo vastattu, eikä siihen voi vastata toista kertaa.
trouble-already-decided-next = Näet päätöksesi omalta sivultasi. Sieltä voit myös perua luvan.
trouble-changed-title = Tiedot muuttuivat sillä välin
trouble-changed-happened = Näytetyt tiedot tai ehdot eivät enää pidä paikkaansa. Siksi päätöstäsi ei otettu vastaan.
trouble-changed-next = Avaa pyyntö uudelleen, katso uudet tiedot ja päätä sitten.
trouble-permission-ended-title = Lupa on jo päättynyt
trouble-permission-ended-happened = Lupa ei ole enää voimassa, joten perumista ei tarvita.
trouble-permission-ended-next = Näet luvan vaiheet omalta sivultasi.
trouble-login-cancelled-title = Kirjautuminen keskeytyi
trouble-login-cancelled-happened = Kirjautumista ei viety loppuun.
trouble-login-cancelled-next = Voit kirjautua, milloin haluat.
trouble-login-failed-title = Kirjautuminen ei onnistunut
trouble-login-failed-happened = Kirjautumispalvelun vastausta ei voitu hyväksyä. Näin käy esimerkiksi, jos kirjautuminen kestää kauan tai sivu avataan uudelleen selaimen historiasta.
trouble-login-failed-next = Kirjaudu uudelleen alusta.
trouble-login-too-weak-title = Tarvitaan vahvempi tunnistautuminen
trouble-login-too-weak-happened = Näitä tietoja varten kirjautumisen on oltava vahvempi tai tuoreempi.
trouble-login-too-weak-next = Kirjaudu uudelleen esimerkiksi pankkitunnuksilla tai mobiilivarmenteella.
trouble-login-no-identifier-title = Sinua ei voitu tunnistaa
trouble-login-no-identifier-happened = Kirjautumispalvelu ei kertonut, kuka olet kaupungin rekistereissä.
trouble-login-no-identifier-next = Kirjaudu uudelleen toisella tavalla tai ota yhteyttä kaupunkiin.
trouble-provider-unavailable-title = Kirjautumispalvelu ei vastaa
trouble-provider-unavailable-happened = Kirjautumispalvelussa on häiriö. Vika ei ole sinussa.
trouble-provider-unavailable-next = Yritä hetken kuluttua uudelleen.
trouble-register-unavailable-title = Rekisteri ei vastaa
trouble-register-unavailable-happened = Kaupungin rekisteriin ei saada juuri nyt yhteyttä, joten tietojasi ei voida näyttää. Päätöstä ei ole tehty.
trouble-register-unavailable-next = Yritä hetken kuluttua uudelleen. Pyyntö odottaa omalla sivullasi.
trouble-partner-unavailable-title = Toinen kaupunki ei vastaa
trouble-partner-unavailable-happened = Toisen kaupungin palveluun ei saada juuri nyt yhteyttä.
trouble-partner-unavailable-next = Yritä hetken kuluttua uudelleen.
trouble-partner-not-trusted-title = Pyytäjää ei voitu varmistaa
trouble-partner-not-trusted-happened = Pyytäjä ei kuulu kaupunkien verkostoon, tai sen jäsenyys on päättynyt.
trouble-partner-not-trusted-next = Älä anna tietojasi muuta kautta, jos et ole varma pyytäjästä. Ota yhteyttä palveluun, josta tulit.
trouble-session-ended-title = Istuntosi päättyi
trouble-session-ended-happened = Olit hetken poissa, joten sinut kirjattiin ulos turvallisuuden vuoksi.
trouble-session-ended-next = Kirjaudu uudelleen ja jatka siitä, mihin jäit.
trouble-form-refused-title = Lomaketta ei voitu ottaa vastaan
trouble-form-refused-happened = Lomake oli avoinna liian kauan tai se lähetettiin muualta kuin tästä palvelusta.
trouble-form-refused-next = Avaa sivu uudelleen ja tee valintasi siinä.
trouble-too-many-title = Liian monta yritystä
trouble-too-many-happened = Pyyntöjä tuli lyhyessä ajassa niin paljon, että palvelu hidasti niitä.
trouble-too-many-next = Odota minuutti ja yritä sitten uudelleen.
trouble-bad-request-title = Pyyntöä ei ymmärretty
trouble-bad-request-happened = Selaimen lähettämässä pyynnössä oli jotain, mitä palvelu ei ymmärtänyt.
trouble-bad-request-next = Palaa edelliselle sivulle ja yritä uudelleen.
trouble-unavailable-title = Palvelu ei ole juuri nyt käytettävissä
trouble-unavailable-happened = Palvelu ei voinut varmistaa kaikkea tarvittavaa, joten se ei tehnyt mitään.
trouble-unavailable-next = Yritä hetken kuluttua uudelleen.
trouble-internal-title = Palvelussa on vika
trouble-internal-happened = Vika on palvelussa, ei sinussa. Se on kirjattu muistiin.
trouble-internal-next = Yritä hetken kuluttua uudelleen. Jos vika jatkuu, ota yhteyttä kaupunkiin.

## Problem types of the APIs

problem-kicker = Ohjelmarajapinnan virhe
problem-lead = Tämä sivu kertoo, mitä ohjelmien välinen virheilmoitus tarkoittaa. Virhe ei ole luovuttanut kenenkään tietoja.
problem-meaning = Mitä se tarkoittaa
problem-next = Mitä tehdä
problem-side = Kenen puolella
problem-status = HTTP-tila
problem-type = Tyyppi
side-caller = Kutsuva ohjelma
side-resident = Asukkaan päätös
side-recipient = Tietoja pyytävä kaupunki
side-holder = Kaupunki, jolla tiedot ovat
side-register = Rekisteri
side-provider = Kirjautumispalvelu
side-node = Tämä solmu
problem-invalid-request-title = Pyynnön muoto on väärä
problem-invalid-request-meaning = Pyynnöstä puuttuu jotain, tai siinä on kenttä tai arvo, jota rajapinta ei tunne.
problem-invalid-request-next = Korjaa pyyntö vastauksen kuvauksen mukaan. Sama pyyntö uudelleen ei auta.
problem-not-authenticated-title = Kutsuja ei ole tunnistautunut
problem-not-authenticated-meaning = Palvelun tunnukset puuttuvat, ovat väärät tai vanhentuneet.
problem-not-authenticated-next = Hae uusi pääsytunniste palvelun omilla tunnuksilla ja yritä uudelleen.
problem-not-allowed-title = Kutsuja ei saa tehdä tätä
problem-not-allowed-meaning = Palvelu tunnistettiin, mutta sillä ei ole oikeutta toimintoon.
problem-not-allowed-next = Tarkista palvelun oikeudet kaupungin ylläpidosta.
problem-not-found-title = Kohdetta ei löydy
problem-not-found-meaning = Kohdetta ei ole, tai se ei kuulu kutsujalle. Vastaus on kummassakin tapauksessa sama.
problem-not-found-next = Tarkista osoite ja tunniste.
problem-conflict-title = Pyyntö ei sovi nykyiseen tilaan
problem-conflict-meaning = Kohde on muuttunut, tai sama toiminto on jo tehty.
problem-conflict-next = Lue tila uudelleen ja päätä sen perusteella.
problem-too-large-title = Pyyntö on liian suuri
problem-too-large-meaning = Pyyntö ylittää sallitun koon.
problem-too-large-next = Pienennä pyyntöä.
problem-too-many-requests-title = Liian monta pyyntöä
problem-too-many-requests-meaning = Pyyntöjä tuli lyhyessä ajassa enemmän kuin on sallittu.
problem-too-many-requests-next = Odota Retry-After-otsakkeen ilmoittama aika.
problem-permission-waiting-title = Asukas ei ole vielä päättänyt
problem-permission-waiting-meaning = Lupaa on pyydetty, mutta vastausta ei ole tullut. Tietoja ei voi hakea ennen sitä.
problem-permission-waiting-next = Ohjaa asukas päättämään tai odota. Pyyntö raukeaa itsestään määräaikana.
problem-permission-declined-title = Asukas ei antanut lupaa
problem-permission-declined-meaning = Asukas päätti olla antamatta lupaa. Päätös on lopullinen tälle pyynnölle.
problem-permission-declined-next = Hoida asia toisella tavalla. Älä pyydä uudelleen 30 päivään.
problem-permission-ended-title = Lupa on päättynyt
problem-permission-ended-meaning = Asukas perui luvan, sen aika päättyi, tai sallitut haut on tehty.
problem-permission-ended-next = Pyydä tarvittaessa uusi lupa.
problem-use-not-declared-title = Pyyntö ylittää ilmoitetun käytön
problem-use-not-declared-meaning = Pyydettiin tietoja, käyttötarkoitusta tai aikaa, jota kaupunki ei ole ilmoittanut palvelulle.
problem-use-not-declared-next = Rajaa pyyntöä tai päivitä ilmoitettu käyttö osoitteessa /catalogue/uses.
problem-not-a-member-title = Osapuoli ei kuulu verkostoon
problem-not-a-member-meaning = Toista osapuolta ei voitu varmistaa kaupunkien verkoston jäseneksi.
problem-not-a-member-next = Tarkista jäsenyys ja luottamusankkuri.
problem-exchange-refused-title = Toinen kaupunki torjui haun
problem-exchange-refused-meaning = Kaupunki, jolla tiedot ovat, ei hyväksynyt hakua. Tietoja ei annettu.
problem-exchange-refused-next = Lue luvan tila. Jos lupa on voimassa, ota yhteyttä kaupungin ylläpitoon ja mainitse tapahtuman numero.
problem-answer-refused-title = Saatua vastausta ei hyväksytty
problem-answer-refused-meaning = Toisen kaupungin vastaus tai sen kuitti ei läpäissyt tarkistusta. Tiedot hylättiin.
problem-answer-refused-next = Ota yhteyttä kaupungin ylläpitoon ja mainitse tapahtuman numero.
problem-holder-unavailable-title = Toinen kaupunki ei vastaa
problem-holder-unavailable-meaning = Kaupunkiin, jolla tiedot ovat, ei saada yhteyttä.
problem-holder-unavailable-next = Yritä uudelleen Retry-After-otsakkeen mukaan.
problem-register-unavailable-title = Rekisteri ei vastaa
problem-register-unavailable-meaning = Rekisteriin, jossa tiedot ovat, ei saada yhteyttä.
problem-register-unavailable-next = Yritä uudelleen Retry-After-otsakkeen mukaan.
problem-provider-unavailable-title = Kirjautumispalvelu ei vastaa
problem-provider-unavailable-meaning = Kaupungin kirjautumispalveluun ei saada yhteyttä.
problem-provider-unavailable-next = Yritä uudelleen Retry-After-otsakkeen mukaan.
problem-unavailable-title = Solmu ei voi juuri nyt vastata
problem-unavailable-meaning = Solmu ei voinut varmistaa kaikkea tarvittavaa, joten se ei tehnyt mitään.
problem-unavailable-next = Yritä uudelleen Retry-After-otsakkeen mukaan.
problem-outcome-unknown-title = Ei tiedetä, tuliko tämä voimaan
problem-outcome-unknown-meaning = Tietokanta ei vastannut, kun muutosta tallennettiin. Muutos on voinut tulla voimaan, tai sitten ei.
problem-outcome-unknown-next = Lue tieto uudelleen, ennen kuin toistat pyynnön.
problem-internal-title = Vika solmussa
problem-internal-meaning = Solmussa on vika, joka on kirjattu muistiin.
problem-internal-next = Ota yhteyttä ylläpitoon ja mainitse tapahtuman numero.

## Keskeyttäminen

notice-paused = Lupa on keskeytetty. Mitään ei haeta ennen kuin annat sen jatkua.
notice-resumed = Lupa on taas voimassa.
notice-not-resumed = Lupa on edelleen keskeytetty: palvelu ei enää ilmoita käyttöä, jonka tämä lupa kattaa.
pause-title = Keskeyttäminen
pause-lead = Voit keskeyttää luvan joksikin aikaa. Mitään ei haeta, kun lupa on keskeytetty, ja viimeinen päivä pysyy samana.
pause-now = Lupa on keskeytetty. Mitään ei haeta. Voit antaa sen jatkua tai perua sen kokonaan.
pause-by-use = Lupa on keskeytynyt, koska { $asker } on muuttanut sitä, mitä sen palvelu saa pyytää. Se jatkuu itsestään, jos käyttö taas vastaa lupaa, ellet keskeytä sitä itse. Voit myös perua luvan kokonaan.
pause-by-trust = Lupa on keskeytynyt, koska emme nyt voi vahvistaa, että { $asker } on luotettu jäsen. Mitään ei haeta. Se jatkuu itsestään, kun asia on kunnossa, ellet keskeytä sitä itse. Voit myös perua luvan kokonaan.
pause = Keskeytä lupa
resume = Jatka lupaa
change-not-taken = Lupa päättyi, koska kukaan ei ottanut sitä ajoissa käyttöön.
change-withdrawn = Kaupunki päätti luvan turvallisuuden vuoksi: joku yritti käyttää sitä toiseen kertaan.
change-held-back = Lupa keskeytyi, koska palvelu muutti sitä, mitä se saa pyytää.
change-held-back-untrusted = Lupa keskeytyi, koska vastaanottavan kaupungin luotettavuutta ei voitu vahvistaa.
problem-permission-suspended-title = Lupa on keskeytetty
problem-permission-suspended-meaning = Asukas on keskeyttänyt luvan, tai ilmoitettu käyttö, johon se perustuu, ei nyt kata sitä. Lupa voi jatkua myöhemmin.
problem-permission-suspended-next = Älä pyydä uudelleen. Luvan tila kertoo, milloin se on voimassa.

## Vahvempi tunnistautuminen ja pääsyavain

problem-confirmation-needed-title = Asukkaan on vahvistettava uudelleen
problem-confirmation-needed-meaning = Tiedot luovuttava kaupunki vaatii nyt vahvempaa tai tuoreempaa tunnistautumista tai pääsyavainta kuin silloin, kun lupa annettiin.
problem-confirmation-needed-next = Pyydä lupa uudelleen. Asukas vahvistaa sen nyt vaaditulla tavalla.
passkeys-title = Pääsyavaimet
passkeys-lead = Pääsyavaimella vahvistat päätöksesi omalla laitteellasi, esimerkiksi sormenjäljellä. Joitakin tietoja saa luovuttaa vain, jos vahvistat luvan myös pääsyavaimella.
passkeys-none = Sinulla ei ole pääsyavaimia täällä.
passkeys-added = Lisätty
passkeys-used = Käytetty viimeksi
passkeys-unused = Ei vielä käytetty
passkeys-remove = Poista pääsyavain
passkeys-remove-hint = Poistaminen ei muuta lupia, jotka olet jo antanut.
passkeys-add = Lisää pääsyavain
passkey-new-title = Lisää pääsyavain
passkey-new-lead = Selaimesi kysyy, mihin pääsyavain tallennetaan: tälle laitteelle, puhelimeesi tai turva-avaimeen. Kaupunki ei saa tietää sormenjälkeäsi eikä suojakoodiasi.
passkey-label = Pääsyavaimen nimi
passkey-label-hint = Nimi, josta tunnistat sen, esimerkiksi Puhelin.
passkey-needs-script = Pääsyavain toimii vain, kun selaimessa on JavaScript käytössä ja selain tukee pääsyavaimia. Tämä on palvelun ainoa kohta, joka tarvitsee sitä.
passkey-failed = Pääsyavain ei vahvistanut. Mitään ei muuttunut. Yritä uudelleen.
passkey-known = Tällä laitteella on jo pääsyavain tähän palveluun. Uutta ei tarvita.
passkey-confirm-title = Vahvista pääsyavaimella
passkey-confirm-lead = Pääsyavaimella vahvistat, että annat tämän luvan. Luvan saa { $city }.
passkey-confirm = Vahvista lupa
passkey-confirm-back = Takaisin päätökseen
passkey-confirm-after = Sen jälkeen kirjautumispalvelu vahvistaa saman luvan. Ennen sitä mitään ei anneta.
consent-passkey-ready = Näitä tietoja varten vahvistat luvan myös pääsyavaimellasi.
consent-passkey-missing = Näitä tietoja varten lupa on vahvistettava myös pääsyavaimella, eikä sinulla ole sellaista täällä.
consent-passkey-add = Lisää ensin pääsyavain
me-passkeys = Joitakin salassa pidettäviä tietoja varten vahvistat luvan myös omalla laitteellasi.
me-passkeys-link = Katso pääsyavaimesi
permission-signed-with-passkey = Vahvistit sen myös pääsyavaimellasi.
notice-passkey-added = Pääsyavain on lisätty.
notice-passkey-removed = Pääsyavain on poistettu.
notice-objection-made = Vastustuksesi on kirjattu. Kaupunki vastaa siihen.
notice-objection-stands = Olet jo vastustanut tätä käyttöä. Kaupunki ei ole vielä vastannut.
trouble-passkey-needed-title = Tarvitaan pääsyavain
trouble-passkey-needed-happened = Näitä tietoja varten lupa vahvistetaan myös pääsyavaimella, eikä sinulla ole sopivaa pääsyavainta täällä.
trouble-passkey-needed-next = Lisää pääsyavain. Sen jälkeen palaat päätökseen.
trouble-passkey-refused-title = Pääsyavain ei kelvannut
trouble-passkey-refused-happened = Pääsyavaimen vahvistus ei vastannut sitä, mitä pyydettiin.
trouble-passkey-refused-next = Yritä uudelleen. Jos sinulla on toinen pääsyavain tai selain, kokeile sitä.
refusal-unconfirmed = Kaupunki pyytää vahvistamaan tämän luvan uudelleen.

## Muistutukset, poistaminen ja tieto, joka ei mene perille

ends-soon = Päättyy pian: { $day }
ends-soon-then = Lupa ei jatku itsestään. Jos palvelu tarvitsee tietoja vielä, sen on kysyttävä sinulta uudelleen.
deletion-title = Haettujen tietojen poistaminen
deletion-due = { $asker } saa säilyttää hakemansa tiedot enintään tähän päivään: { $day }. Poistamista ei ole vielä vahvistettu.
deletion-overdue = { $asker } sai säilyttää hakemansa tiedot vain tähän päivään: { $day }. Poistamista ei ole vahvistettu.
deletion-ask = Voit kysyä asiasta tietosuojavastaavalta:
deletion-confirmed = { $asker } on vahvistanut poistaneensa hakemansa tiedot { $day }.
permission-stop-given-up = Uusia hakuja ei tehdä. Tieto perumisesta ei ole mennyt perille, koska { $asker } ei ole vastannut pitkään aikaan.


# Receipts
receipts-title = Kuitit
receipts-lead = Saat kuitin jokaisesta päätöksestäsi ja jokaisesta muutoksesta sen jälkeen. Kaupunki on allekirjoittanut ne sähköisesti.
receipts-none = Sinulla ei ole vielä kuitteja.
receipts-all = Kaikki kuitit
receipt-title = Kuitti
receipt-open = Avaa kuitti
receipt-to-permission = Lupa
receipt-change-withdrawn = Kaupunki päätti luvan, koska sitä ei noudettu ajoissa tai sitä yritettiin käyttää väärin.
receipt-event = Mitä tapahtui
receipt-number = Kuitin numero
receipt-permission-number = Luvan numero
receipt-version = kuitti { $n }
receipt-when = Milloin
receipt-how = Miten
receipt-method-signed = Tässä palvelussa. Kirjautumispalvelu vahvisti päätöksen sähköisellä allekirjoituksella.
receipt-method-portal = Tässä palvelussa.
receipt-method-asker = Tietojen pyytäjä ilmoitti siitä.
receipt-method-rule = Itsestään, luvan ehtojen mukaan.
receipt-person = Kenen tiedot
receipt-person-meaning = Tunnus, jolla tietojen saaja tuntee sinut. Muille se ei kerro mitään.
receipt-parties = Kuka ja kenelle
receipt-from = Tietojen antaja
receipt-to = Tietojen saaja
receipt-what = Mitä ja miksi
receipt-service = Palvelu
receipt-purpose = Miksi, sanasta sanaan niin kuin näit sen
receipt-in-finnish = Näytetty suomeksi.
receipt-in-swedish = Näytetty ruotsiksi.
receipt-in-english = Näytetty englanniksi.
receipt-digest = Tekstin tarkistussumma:
receipt-data = Tiedot
receipt-nothing-allowed = Mitään tietoja ei annettu.
receipt-until = Viimeinen päivä
receipt-times = Hakuja enintään
receipt-period = Ajanjakso, jolta tietoja haetaan
receipt-rights = Oikeutesi
receipt-withdraw = Näin perut luvan
receipt-withdraw-portal = Tässä palvelussa:
receipt-withdraw-else = Ilman tätä palvelua: kerro kuitin numero kirjeellä, sähköpostilla tai käymällä paikan päällä:
receipt-complain = Valitus
receipt-proof = Aitous
receipt-proof-meaning = Kaupunki on allekirjoittanut kuitin sähköisesti. Lataa allekirjoitettu kuitti talteen: sen avulla kuka tahansa voi tarkistaa, ettei kirjaintakaan ole muutettu.
receipt-check = Tarkista kuitti
receipt-keys = Kaupungin avaimet
receipt-signature = Kirjautumispalvelun vahvistus
receipt-log = Merkintä kaupungin lokissa
receipt-download-signed = Lataa allekirjoitettu kuitti
receipt-download-readable = Lataa luettava kopio
receipt-others = Luvan kaikki kuitit
receipt-this = tämä kuitti
evidence-bundle = Todistepaketti
evidence-bundle-meaning = Yksi tiedosto, jossa on kaikki tästä luvasta: päätöksesi, allekirjoitukset ja kuitit. Sen voi tarkistaa missä tahansa, myös vuosien päästä. Säilytä se itselläsi.
evidence-bundle-download = Lataa todistepaketti
receipts-erased = Tämän luvan kuitit ja todistepaketti on poistettu, koska niiden säilytysaika on päättynyt. Itse tallentamasi kopiot voi edelleen tarkistaa.
verify-title = Tarkista kuitti
verify-lead = Täällä kuka tahansa voi tarkistaa, onko kuitti aito. Et tarvitse kirjautumista.
verify-file = Allekirjoitettu kuitti tiedostona
verify-paste = tai tekstinä
verify-kept = Kuittia ei tallenneta.
verify-do = Tarkista
verify-good = Kuitti on aito
verify-not-good = Tähän ei voi luottaa
verify-signed = { $signer } allekirjoitti sen { $when }. Kirjaintakaan ei ole muutettu sen jälkeen.
verify-key-in-use = Allekirjoituksen avain on käytössä.
verify-key-retired = Allekirjoituksen avain on vaihdettu uuteen. Sillä aiemmin tehdyt allekirjoitukset ovat voimassa.
verify-key-given-up = Allekirjoituksen avain on poistettu käytöstä, mutta kuitti kirjattiin sitä ennen.
verify-key-compromised = Joku muu on saattanut saada allekirjoituksen avaimen haltuunsa, eikä tätä kuittia tunneta ajalta ennen sitä. Siksi allekirjoitus ei todista mitään.
verify-says = Kuitti kertoo
verify-exchange = Tietoja annettiin luvan perusteella.
verify-records = Tietueita
verify-altered = Allekirjoitus ei täsmää. Kuittia on muutettu sen jälkeen, kun { $signer } allekirjoitti sen, tai allekirjoittaja oli joku muu. Yksikin muutettu kirjain riittää.
verify-unknown-key = Kuitin mukaan sen allekirjoitti { $signer }, jolla ei kuitenkaan ole tätä avainta julkaistuna. Aitoutta ei voi tarkistaa täällä.
verify-unknown-signer = Kuitin mukaan sen allekirjoitti { $signer }, joka ei kuulu kaupunkien verkostoon.
verify-unavailable = Kuitin mukaan sen allekirjoitti { $signer }, jonka avaimia ei nyt saada. Yritä myöhemmin uudelleen.
verify-unsigned = Tämä on luettava kopio, jota kukaan ei ole allekirjoittanut. Tarkistamiseen tarvitaan allekirjoitettu kuitti.
verify-no-receipt = Tämä ei ole kuitti, tai siitä puuttuu osa. Lataa tai liitä allekirjoitettu kuitti kokonaan.
## Rajat, jotka asukas valitsee

consent-times-per-label = Hakuja enintään jaksossa, jonka pituus on { $period }
consent-reach-legend = Mitä aikaa tiedot saavat koskea?
consent-reach-lead = Voit antaa vain tiettyä aikaa koskevat tiedot. Jätä molemmat tyhjiksi, jos annat ne niin kuin yllä lukee.
consent-reach-from = Alkaen
consent-reach-to = Päättyen
consent-retention-choice = Voit valita lyhyemmän ajan
times-value-per = { $used } tähän mennessä, enintään { $allowed } jaksossa, jonka pituus on { $period }
use-times-per = { $n } jaksossa, jonka pituus on { $period }
refusal-too-often = Tiedot oli jo haettu niin monta kertaa kuin olit sille ajalle sallinut.

## Uusi lupa toisen tilalle

instead-title = Mikä muuttuisi
instead-extends = Olet jo antanut tähän luvan. Uusi lupa täydentäisi sitä ja tulisi sen tilalle.
instead-replaces = Olet jo antanut tähän luvan. Uusi lupa tulisi sen tilalle.
instead-new-fields = Pyydetään lisäksi
instead-dropped-fields = Ei enää pyydetä
instead-persons = Lupa on tähän asti koskenut
instead-was = Nyt: { $value }.
instead-would-be = Pyydetään: enintään { $value }.
instead-otherwise = Jos et anna uutta lupaa, nykyinen lupasi pysyy ennallaan.

## Pysyvä kielto

denials-title = Mitä olen kieltänyt
denials-lead = Voit kieltää pysyvästi sen, mitä palvelu, kaupunki tai kukaan saa pyytää. Pyyntöön vastataan heti ei, eikä sinulta kysytä. Vain sinä näet omista tapahtumistasi, että pyyntö tuli. Kun vastaat vain ei, sama palvelu ei kysy samaa uudelleen 30 päivään.
denials-open = Mitä olen kieltänyt
denials-none = Et ole kieltänyt mitään.
denials-what = Mikä on kielletty
denials-city = Kaikki, mitä tämä kaupunki pyytää
denials-use = Tämä käyttö
denials-data = Nämä tiedot, pyysipä kuka tahansa
denials-since = Alkaen
denials-until = Asti
denials-for-good = Pysyvästi
denials-remove = Salli kysyminen taas
denials-add-title = Kiellä jokin tieto kaikilta
denials-add-lead = Antamasi luvat pysyvät voimassa. Yksittäisen palvelun tai kaupungin voi kieltää sen omalla sivulla.
denials-data-label = Tiedot
denials-add = Kiellä pysyvästi
notice-denial-added = Se on kielletty pysyvästi. Sinulta ei kysytä sitä.
notice-denial-removed = Sinulta voidaan taas kysyä sitä.
never-label = Saako sinulta kysyä uudelleen, jos et anna lupaa?
never-ask-again = Kyllä, minulta saa kysyä uudelleen
never-use = Älä kysy enää tätä käyttöä
never-partner = { $city } ei saa kysyä minulta mitään
never-dataset = Kukaan ei saa pyytää näitä tietoja
never-lead = Tämä vaikuttaa vain, jos et anna lupaa. Voit muuttaa sen omalla sivullasi.
refusal-standing-denial = Olet kieltänyt sen. Pyytäjä sai vastaukseksi vain ei.
## Jäsenet: kuka takaa kenet

partners-verified-lead = Vain kaupunkien verkoston varmistetut jäsenet voivat pyytää tietoja tai antaa niitä. Jokaisen takaavat allekirjoitukset, jotka tämä palvelu tarkistaa itse yhä uudelleen.
partners-unknown = Juuri nyt ei voida tarkistaa, ketkä kuuluvat verkostoon. Siihen asti mitään ei pyydetä eikä lähetetä.
partners-verified = Verkoston varmistettu jäsen
partners-by = Takaajat
partners-roles = Mitä se saa tehdä
partners-role-consent-issuer = antaa asukkaiden päättää tiedoistaan
partners-role-data-holder = antaa tietoja, joihin asukkaat ovat antaneet luvan
partners-role-data-recipient = pyytää ja hakee tietoja
partners-role-none = toistaiseksi ei mitään
partners-until = Voimassa asti
partners-renewed = Se uusitaan ennen sitä, jos kaikki on kunnossa.
partners-details = Tarkistamista varten
partners-address = Osoite
partners-mark = Luottamusmerkki
partners-mark-by = Antaja
partners-statement = Allekirjoitettu lausuma
partners-statement-about = { $issuer } jäsenestä { $subject }
partners-keys = Avaimet
partners-broken = Ei juuri nyt käytettävissä
partners-broken-effect = Sen kanssa ei voi pyytää eikä hakea mitään, ennen kuin vika on korjattu. Antamasi luvat pysyvät ennallaan.
partners-side-here = Vika on tämän kaupungin omalla puolella.
partners-side-member = Vika on jäsenen puolella.
partners-side-intermediate = Vika on sillä, joka takaa tämän jäsenen.
partners-side-anchor = Vika on verkoston yhteisessä luottamuspalvelussa.
partners-side-network = Vika on kaupunkien välisissä yhteyksissä.
partners-why-silent = Vastausta ei tule.
partners-why-unfit = Vastaus tulee, mutta sen allekirjoituksia ei voitu varmistaa.
partners-why-not-member = Kukaan ei enää takaa tätä jäsentä.
partners-why-no-role = Se on jäsen, mutta sillä ei ole oikeutta pyytää tai antaa tietoja.

error-log-in = Kirjaudu ja jatka
error-choices-kept = Valintasi ovat tallessa. Näet ne uudelleen, kun olet kirjautunut.
trouble-stop-unknown-title = Ei ole vielä varmaa, tuliko tämä voimaan
trouble-stop-unknown-happened = Palvelu ei saanut vastausta ajoissa. Pyyntösi on voinut tulla voimaan, tai sitten ei.
trouble-stop-unknown-next = Avaa lupa, niin näet sen tilan nyt. Jos lupa on yhä voimassa, yritä uudelleen: kahdesta kerrasta ei ole haittaa.
trouble-outcome-unknown-title = Ei ole vielä varmaa, tuliko tämä voimaan
trouble-outcome-unknown-happened = Palvelu ei saanut vastausta ajoissa. Se, mitä teit, on voinut tulla voimaan, tai sitten ei.
trouble-outcome-unknown-next = Avaa oma sivusi, niin näet tilanteen nyt. Jos muutos ei tullut voimaan, tee se uudelleen: kahdesta kerrasta ei ole haittaa.
decided-before-allowed = Annoit tämän luvan { $moment }.
decided-before-declined = Et antanut tätä lupaa.
field-errors-in-title = Virhe:
field-errors-title = Tarkista täyttämäsi tiedot
field-errors-kept = Mitään ei ole vielä päätetty. Kaikki valintasi ovat tallessa.
field-until-not-a-day = Kirjoita viimeinen päivä päivämääränä, esimerkiksi 31.12.2027.
field-until-outside = Viimeisen päivän on oltava aikavälillä { $earliest } – { $latest }.
field-persons-none = Valitse, kenen tietoja lupa koskee: ainakin yksi henkilö tai merkintä.
field-persons-both = Valitsit samasta henkilöstä sekä kaikki tiedot että yksittäisen merkinnän. Jätä vain toinen.
field-persons-too-many = Yhteen lupaan ei mahdu näin paljon. Valitse enintään { $persons } henkilöä ja { $records } yksittäistä merkintää.
field-times = Kirjoita, kuinka monta hakua sallit: luku 1–{ $most }.
field-reach-from-not-a-day = Kirjoita ensimmäinen päivä päivämääränä, esimerkiksi 1.8.2026, tai jätä kohta tyhjäksi.
field-reach-to-not-a-day = Kirjoita viimeinen päivä päivämääränä, esimerkiksi 31.7.2027, tai jätä kohta tyhjäksi.
field-reach-reversed = Viimeinen päivä ei voi olla ennen ensimmäistä päivää.
field-reach-outside = Päivän on oltava aikavälillä { $from } – { $to }.

nav-data = Tietoni
holdings-title = Tietoni
holdings-lead = { $city } säilyttää sinusta nämä tiedot. Ne luetaan rekistereistä juuri nyt.
holdings-not-stored = Näitä tietoja ei tallenneta tänne. Sinusta voi olla tietoja myös rekistereissä, jotka eivät ole tällä sivulla.
holdings-no-datasets = Palveluun ei ole liitetty yhtään rekisteriä.
holdings-contents = Tällä sivulla
holdings-all = Kaikki tietoni
holdings-reading = Luetaan rekisteriä…
holdings-none = Rekisterissä ei ole tietoja sinusta.
holdings-later = Tietosi ovat rekisterissä { $moment } alkaen. Avaa sivu uudelleen sen jälkeen.
holdings-login-needed = Nämä tiedot näytetään vasta vahvemman tai tuoreemman kirjautumisen jälkeen.
holdings-log-in = Kirjaudu uudelleen
holdings-unavailable = Tämä rekisteri ei vastannut, joten sen tietoja sinusta ei voi nyt näyttää.
holdings-try-again = Yritä uudelleen
holdings-why = Miksi kaupungilla on nämä tiedot ja kuinka kauan
holdings-correct = Onko jokin tieto väärin? Pyydä korjausta:
holdings-download-title = Ota kopio
holdings-download-lead = Kaikki nämä tiedot yhtenä tiedostona: luettava sivu, taulukot ja allekirjoitus, josta näkee, että tiedot ovat kaupungilta. Säilytä tiedosto huolella: jokainen, jolla se on, voi lukea tietosi.
holdings-download = Lataa tietoni
export-title = Tietoni, { $city }
export-title-article-15 = { $city }: vastaus tietopyyntöösi
export-made = Luettu rekistereistä { $moment }.
export-files = Samat tiedot ovat tämän sivun vieressä taulukoina (.csv) ja ohjelmia varten tiedostossa data.json. Tiedostossa manifest.jws on kaupungin allekirjoitus kaikista tiedostoista.
export-others = Sinusta voi olla tietoja myös rekistereissä, joita ei ole liitetty tähän palveluun.
export-table = Taulukko
export-later = Nämä tiedot ovat rekisterissä { $moment } alkaen, joten ne eivät ole tässä kopiossa.
export-login-too-weak = Ei tässä kopiossa: nämä tiedot annetaan vasta vahvemman tai tuoreemman kirjautumisen jälkeen.
export-unavailable = Ei tässä kopiossa: rekisteri ei vastannut.
export-permissions = Antamasi luvat
export-permissions-none = Et ole antanut lupia.
export-rights = Oikeutesi
export-rights-text = Voit pyytää tietojesi oikaisua, poistamista tai käytön rajoittamista ja vastustaa niiden käyttöä.

## Uses by contract and law

uses-title = Mihin tietojasi käytetään
uses-lead = Mihin { $city } käyttää asukkaidensa tietoja. Osasta päätät itse, osa perustuu sopimukseen ja osa lakiin.
uses-choice-title = Sinä päätät
uses-choice = Palvelut, jotka pyytävät näitä tietoja, saavat ne vain luvallasi. Voit perua luvan milloin vain.
uses-contract-title = Sopimus
uses-contract = Olet sopinut kaupungin kanssa jostakin, ja siihen tarvitaan näitä tietoja. Kun sopimus päättyy, myös käyttö päättyy.
uses-contract-none = Mikään kaupungin tietojen käyttö ei perustu sopimukseen.
uses-law-title = Laki ratkaisee
uses-law = Nämä perustuvat lakiin. Lupaasi ei kysytä. Voit aina kysyä ja pyytää korjaamaan väärän tiedon. Jos laki antaa oikeuden vastustaa käyttöä, sitä varten on painike.
uses-law-none = Tässä ei ole lakiin perustuvaa käyttöä.
uses-yours = Sinun tietosi
uses-reported = { $n ->
    [one] Käytetty kerran, { $moment }.
   *[other] Käytetty { $n } kertaa, viimeksi { $moment }.
    }
uses-see-log = Katso tapahtumat
uses-not-reported = Tietojesi käytöstä ei ole ilmoitettu.
uses-unknown = Tämä palvelu ei vielä ilmoita käytöstä. Voi olla, ettei se koske sinua.
uses-object = Vastusta käyttöä
uses-objected = Vastustit tätä käyttöä { $day }.
uses-objection-waits = Kaupunki ei ole vielä vastannut.
uses-objection-upheld = Kaupunki hyväksyi vastustuksesi { $day }.
uses-objection-rejected = Kaupunki vastasi { $day }, että sen on jatkettava käyttöä.
object-title = Vastusta tätä käyttöä
object-what = Voit pyytää kaupunkia lopettamaan tietojesi käytön tällä tavalla syystä, joka liittyy omaan tilanteeseesi. Kaupunki selvittää asian ja vastaa. Se saa jatkaa vain, jos sillä on painava syy.
object-statement = Miksi vastustat käyttöä? Sinun ei ole pakko kirjoittaa mitään.
object-statement-hint = Älä kirjoita tähän kenenkään henkilötunnusta.
object-send = Kirjaa vastustus
object-back = Palaa takaisin
object-next = Vastustuksesi ja vastaus siihen näkyvät käyttösivulla. Voit myös kirjoittaa:
