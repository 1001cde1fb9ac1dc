# The portal's texts in English.
# Same keys and arguments in fi.ftl, sv.ftl and en.ftl; a difference does not compile.

## Every page

service-name = My data and permissions
skip-link = Skip to content
nav-label = Main menu
language-label = Language
nav-home = Home
nav-overview = My page
nav-sharing = Permissions
nav-uses = Uses
nav-log = Activity
nav-partners = Services
nav-catalogue = Data catalogue
log-in = Log in
log-out = Log out
signed-in = You are logged in
demo-banner = This is a demonstration. The residents and their data are made up.
footer-contact = Questions about this service?
footer-dpo = Data protection officer
footer-city = { $city } is responsible for this service.
and = and
notice-stopped = The permission is stopped. Nothing more will be fetched.
notice-had-ended = The permission had already ended. You do not need to do anything.

## Values, periods, legal bases

value-yes = yes
value-no = no
value-none = no information
period-years = { $n ->
    [one] { $n } year
   *[other] { $n } years
    }
period-months = { $n ->
    [one] { $n } month
   *[other] { $n } months
    }
period-weeks = { $n ->
    [one] { $n } week
   *[other] { $n } weeks
    }
period-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
    }
period-none = The data is not kept
basis-permission = Your own permission, that is, consent (GDPR, Article 6(1)(a))
basis-contract = A contract that you are part of (GDPR, Article 6(1)(b))
basis-legal-obligation = The law obliges the city to use the data (GDPR, Article 6(1)(c))
basis-vital-interests = Protecting life or health (GDPR, Article 6(1)(d))
basis-public-task = A task that the law gives to the city (GDPR, Article 6(1)(e))
basis-legitimate-interest = Legitimate interest (GDPR, Article 6(1)(f))
basis-explicit-permission = Your explicit permission to use sensitive data (GDPR, Article 9(2)(a))
basis-special-category = The law allows sensitive data to be used for this task (GDPR, Article 9(2))
basis-other = Another basis. Ask the data protection officer.
sensitive = Sensitive

## Permissions and the log

status-active = In force
status-suspended = Paused
status-stopped = Stopped
status-expired = Expired
status-used-up = Used
status-replaced = Replaced by a new one
until-label = In force
until-day = until { $day }
given-label = Given
ended-label = Ended
times-label = Fetches
times-value = { $used } so far, at most { $allowed }
permission-open = Show permission
stop = Stop permission
log-when = When
log-who = Who
log-what = What
log-why = Why
log-basis = Basis
log-outcome = Result
outcome-released = Data was given
outcome-refused = No data was given
outcome-unconfirmed = Arrival is not confirmed yet.
outcome-deferred = Data is not there yet
outcome-deferred-until = No data was given. The register has it from { $moment }.
outcome-used = Data was used
outcome-used-from = Since { $moment }.
outcome-delayed = This was not shown to you at the time, because a law allows waiting.
refusal-stopped = You had stopped the permission.
refusal-suspended = The permission was paused.
refusal-expired = The permission had expired.
refusal-used-up = The allowed fetches had already been made.
refusal-not-covered = It asked for data that your permission does not cover.
refusal-not-verified = The request could not be shown to be genuine.
refusal-not-member = The one who asked does not belong to the cities' network.
refusal-register-unavailable = The register did not answer.
refusal-unavailable = The city could not make sure that the data may be given.
reporting = { $n ->
    [one] You see the activity of one system.
   *[other] You see the activity of { $n } systems.
    }
reporting-silent = { $n ->
    [one] One system does not report here yet.
   *[other] { $n } systems do not report here yet.
    }
reporting-others = The city's other systems do not report here yet.

## Front page

home-title = You decide where your data goes
home-lead = Cities can give each other data about you only with your permission. Here you see who asks and why, and you can stop a permission at any time.
home-how-title = How it works
home-step-one-title = A service asks
home-step-one = For example, early education in your new home city asks for your child's placement details from the city you moved from.
home-step-two-title = You see and decide
home-step-two = You see your own data as it would be given. You allow it or you don't. Either is fine.
home-step-three-title = You see what happened
home-step-three = Every fetch stays visible here. When you stop a permission, nothing more is fetched.
home-cities-title = Cities that take part
home-cities-lead = Log in at the city that holds your data.
home-here = You are here
home-look-title = Look without logging in
home-look-catalogue = What data the city holds, and who uses it
home-look-partners = Which services may ask for your data
home-open-mine = Open my page

## My page

me-title = My page
me-title-name = Hello, { $name }
me-waiting-title = Waiting for your decision
me-waiting-none = No request is waiting for your decision.
me-decide = Look and decide
me-open-until = Open until { $moment }
me-sharing-title = Permissions in force
me-sharing-none = You have no permissions in force. Nothing is fetched with your permission.
me-sharing-all = All permissions
me-log-title = Latest fetches
me-log-none = Your data has not been fetched.
me-log-all = All activity
me-start-title = Would you like to give a permission yourself?
me-start = You can choose a service that may fetch your data, without it asking first.
me-start-link = See the services

## Activity

log-title = Activity
log-lead = Every time that someone asked for your data, including the times when nothing was given, and every use that the city's systems have reported.
log-none = Nobody has asked for your data.
log-newest = Newest
log-data-not-named = The data is not named
log-systems = Which systems report here
log-system-last = last reported { $moment }
log-system-never = has not reported anything yet
log-system-silent = does not report yet
log-older = Older
log-pages = Pages
trackers-title = What registers have recorded on their own
trackers-lead = These sources keep their own record of how your data is used. They are asked right now, and nothing of it is stored here.
trackers-asking = Asking:
tracker-kept-from = It keeps uses from { $moment } onwards.
tracker-kept-between = It keeps uses from { $from } to { $to }.
tracker-kept-unknown = It did not say how far back its record goes.
tracker-none = It has recorded no use of your data.
tracker-no-older = There are no older uses.
tracker-unavailable = This source does not answer now, so the uses that it has recorded cannot be shown.
tracker-busy = This source was not asked, because another page of yours was still being put together.
export-tracker-latest = The latest uses only: this source may have more.
export-tracker-unavailable = Not in this copy: this source did not answer, or not as it should.

## Permissions

sharing-title = Permissions
sharing-lead = Who may fetch your data, what for, and until when.
sharing-in-force = In force
sharing-ended = Ended and not given
sharing-ended-none = No ended permissions.

## One permission

permission-facts = What this permission is about
permission-who = Who may fetch
permission-where = Where the data comes from
permission-what = Which data
permission-left-out = You left out
permission-origin = How it came about
origin-service = The service asked for it
origin-resident = You started it yourself
permission-evidence = Confirmation
permission-signed = The login service has confirmed your decision with an electronic signature.
permission-unsigned = The evidence of your decision has been erased, because the time for keeping it was over.
permission-stop-title = Stopping
permission-stop-lead = You can stop this permission right away. You need not give a reason.
permission-stop-limits = Nothing more is fetched after that. Data that was already fetched stays with the service that fetched it.
permission-stop-waiting = Nothing more is fetched. { $asker } has been or is being told that the permission was stopped, but has not confirmed it yet.
permission-stop-confirmed = Nothing more is fetched. { $asker } confirmed the stop on { $moment }.
permission-history = History
permission-exchanges = Fetches with this permission
permission-exchanges-none = Nothing has been fetched with this permission.
change-given = You gave the permission.
change-declined = You did not give the permission.
change-stopped = You stopped the permission.
change-given-back = The one who asked gave the permission back.
change-suspended = The permission was paused.
change-resumed = The permission came back in force.
change-expired = The last day of the permission passed.
change-used-up = The last allowed fetch was made.
change-replaced = A new permission replaced this one.
change-stop-confirmed = The one who asked confirmed that it fetches no more.

## Stopping

stop-title = Stop this permission?
stop-effects-title = What happens when you stop it
stop-effect-now = Nothing more is fetched. This takes effect at once.
stop-effect-told = { $asker } is told about it. You will see when that has been confirmed.
stop-limits-title = What stopping cannot undo
stop-limits = { $n ->
    [0] Your data has not been fetched with this permission yet.
    [one] Your data has been fetched once. Data that was already fetched stays with the service that fetched it.
   *[other] Your data has been fetched { $n } times. Data that was already fetched stays with the service that fetched it.
    }
stop-limits-retention = The service keeps it for: { $period }.
stop-confirm = Stop permission
stop-keep = Keep permission

## The decision

consent-kicker = Request for permission
consent-title = { $city } asks for your permission
consent-who-title = Who is asking
consent-asker = Asked by
consent-holder = Data held by
consent-verified = Verified: belongs to the cities' network
consent-purpose-title = What for
consent-data-title = Which data
consent-data-lead = This is your data as it stands right now. Nothing has been sent yet.
consent-required-title = Needed
consent-required-lead = The service cannot handle your case this way without these.
consent-optional-title = You may also give
consent-optional-lead = Choose only what you want to give. You can leave all of these out.
consent-not-asked-title = Not given
consent-record = Record { $n }
consent-records-none = The register has no such data right now. The permission would cover data that may be added.
consent-records-later = The register has your data from { $moment }, so it cannot be shown here yet.
consent-records-later-decide = You can decide now without seeing it, or open this page again after that. The request is open until { $until }. If you allow it, the data is fetched only once the register has it.
non-disclosure = A non-disclosure order applies to this data. This is not given to anyone here:
consent-persons-title = Whose data
consent-persons-lead = Choose what the permission covers. You can choose everything about one person, or single records. What you leave out is not given.
consent-person-all = Everything above about { $name }, also what is added later
consent-record-only = Only: { $record }
consent-person-only = The permission covers the data above about { $name }, also what is added later, and nobody else’s.
consent-person-records-only = The permission covers only this about { $name }:
consent-persons-everybody = The permission covers this data about everyone whose data the register keeps for you, also what is added later.
consent-persons-everybody-later = You can choose whose data once the register has it: open this page again then.
consent-person = Person { $n }
consent-person-you = You
consent-persons-not-held = The service asks for the data of a certain person or a certain record. { $city } has no such data about you, so it cannot be given.
consent-return = Back to the service
permission-persons = Whose data
permission-persons-all = everything, also what is added later
consent-time-title = For how long
consent-duration-legend = How often may the data be fetched?
consent-once = Once
consent-once-hint = By { $day } at the latest. After that the permission ends.
consent-until = Until a date
consent-until-hint = The data may be fetched again if it changes. { $day } at the latest.
consent-until-label = Last day
consent-times-label = Fetches at most
consent-no-renewal = The permission does not renew by itself.
consent-reach-label = How far back
consent-reach-current = The data as it stands in the register when it is fetched
consent-after-title = What happens to the data
consent-retention-label = How long the one who asks keeps it
consent-onward-label = Passing it on
consent-onward-none = The data is not passed on.
consent-basis-title = Basis and responsibility
consent-basis-label = Legal basis
consent-basis-choice = This is your choice. No law obliges you to allow it.
consent-basis-law = The use rests on law, but the data is not fetched this way without your permission.
consent-controller-label = Responsible for the data (controller)
consent-complaint = If you think your data is handled wrongly, you can complain to the Data Protection Ombudsman.
consent-no-title = If you don't allow it
consent-no-reason = You need not give a reason, and the same matter can be handled in another way.
consent-stop-title = If you change your mind
consent-stop = You can stop the permission at any time on your page. Nothing more is fetched after that.
consent-stop-limits = Data that was already fetched stays with the one who asked, for the time stated above.
consent-as-title = As whom you decide
consent-as-you = You decide, logged in as { $name }.
consent-as-self = You decide for yourself.
consent-as-children = The decision is about the following, as their guardian:
consent-decide-title = Your decision
consent-decide-lead = When you allow this, the login service confirms your decision. Usually you do not need to log in again.
consent-allow = Allow
consent-deny = Don't allow
consent-later = You can also close this page and decide later. The request is open until { $moment }.

## After the decision

decided-allowed-title = Permission given
decided-allowed = { $asker } may now fetch this data.
decided-allowed-stop = You see every fetch on your page, and you can stop the permission at any time.
decided-declined-title = Permission not given
decided-declined = None of your data was sent. You do not need to do anything else.
decided-to-me = Go to my page

## Wrong person

wrong-title = This request is meant for someone else
wrong-happened = The service is waiting for another person's decision. That is why you cannot allow it with your own data.
wrong-next = If you share this device, log out so that the right person can log in and decide. If you opened the request yourself, go back to the service and check your case.

## Data catalogue

catalogue-title = Data catalogue
catalogue-lead = What data { $city } holds about its residents, what it is used for, and who else may ask for it.
catalogue-search-label = Search the data catalogue
catalogue-search-hint = For example daycare or address
catalogue-search = Search
catalogue-all = Show all
catalogue-found = { $n ->
    [0] Nothing was found. Try another word.
    [one] One dataset found.
   *[other] { $n } datasets found.
    }
catalogue-empty = The catalogue is empty for now.
catalogue-own-use = The city's own use
catalogue-own-use-law = This rests on law. Your permission is not asked.
catalogue-others = Who else may ask
catalogue-others-none = No service asks for this data.
catalogue-others-permission = These services get the data only with your permission.
catalogue-narrows-records = You can give a permission for one person’s data, or for single records.
catalogue-narrows-persons = You can give a permission for one person’s data.
catalogue-unreachable = The services of these cities cannot be shown right now:
catalogue-register = Register
dataset-fields = Contents
dataset-sensitive-note = Sensitive data is protected with special care.
dataset-basis = On which basis the city uses the data
dataset-legislation = Legislation
dataset-retention = How long the city keeps it
dataset-formats = The same description for programs
processing-service = Service
processing-retention = How long the data is kept
processing-recipients = Who is given the data
processing-nobody = Nobody
processing-ask = Ask
processing-correct = If something is wrong
processing-correct-link = Ask for a correction

## Services

partners-title = Services that may ask for your data
partners-lead = Cities state in advance what each service may ask for, and why. They cannot ask for anything else.
partners-here = this city
partners-none = The city has stated no services.
partners-unreachable = The city's services cannot be shown right now. Try again in a moment.
partners-no-data = This city does not hold this data.
partners-open = Look closer
use-kicker = Service
use-asks = What the service asks for
use-required = Always needed
use-optional = You may leave out
use-limits = Limits
use-max-days = A permission lasts at most
use-max-times = Fetches at most
use-otherwise = If you don't allow it
use-start-title = Start a permission yourself
use-start-lead = You first see your data and then decide. Nothing is sent before that.
use-start = See the data and decide
use-start-login = Log in and continue
use-no-data = This city does not hold the data that the service asks for, so the permission cannot be given here.

## Logging in and out

logged-out-title = You are logged out
logged-out-here = Your session here has ended. Your session at the login service may still be open. Close the browser if you share this device.
logged-out-onward = Your session here has ended. Next, your session at the login service ends too.
logged-out-continue = Continue

## Errors

error-nothing-sent = None of your data was sent.
error-what-now = What you can do
error-trace = Reference number
error-trace-hint = Mention this number if you contact us.
error-retry = Try again
error-home = Go to the front page
error-me = Go to my page
trouble-not-found-title = Page not found
trouble-not-found-happened = The address may be wrong, or the page may have been removed.
trouble-not-found-next = Check the address or start from the front page.
trouble-request-unknown-title = Request not found
trouble-request-unknown-happened = There is no such request, or it is not meant for you.
trouble-request-unknown-next = Go back to the service you came from and start again there. Requests meant for you are on your page.
trouble-request-expired-title = The request has expired
trouble-request-expired-happened = The request was not answered in time and lapsed by itself.
trouble-request-expired-next = If you still want to handle the matter, go back to the service and ask for a new request.
trouble-already-decided-title = You have already decided this
trouble-already-decided-happened = The request has been answered, and it cannot be answered twice.
trouble-already-decided-next = You see your decision on your page. There you can also stop a permission.
trouble-changed-title = Something changed while you were reading
trouble-changed-happened = What you were shown no longer holds. That is why your decision was not taken.
trouble-changed-next = Open the request again, look at the new data, and then decide.
trouble-permission-ended-title = The permission has already ended
trouble-permission-ended-happened = The permission is no longer in force, so there is nothing to stop.
trouble-permission-ended-next = You see its history on your page.
trouble-login-cancelled-title = Login was cancelled
trouble-login-cancelled-happened = The login was not completed.
trouble-login-cancelled-next = You can log in whenever you like.
trouble-login-failed-title = Login did not succeed
trouble-login-failed-happened = The answer from the login service could not be accepted. This can happen if the login takes long, or if the page is opened again from the browser's history.
trouble-login-failed-next = Log in again from the start.
trouble-login-too-weak-title = A stronger login is needed
trouble-login-too-weak-happened = This data needs a stronger or more recent login.
trouble-login-too-weak-next = Log in again, for example with bank codes or a mobile certificate.
trouble-login-no-identifier-title = You could not be identified
trouble-login-no-identifier-happened = The login service did not tell who you are in the city's registers.
trouble-login-no-identifier-next = Log in again in another way, or contact the city.
trouble-provider-unavailable-title = The login service does not answer
trouble-provider-unavailable-happened = The login service has a disruption. It is not your fault.
trouble-provider-unavailable-next = Try again in a moment.
trouble-register-unavailable-title = The register does not answer
trouble-register-unavailable-happened = The city's register cannot be reached right now, so your data cannot be shown. Nothing has been decided.
trouble-register-unavailable-next = Try again in a moment. The request is waiting on your page.
trouble-partner-unavailable-title = The other city does not answer
trouble-partner-unavailable-happened = The other city's service cannot be reached right now.
trouble-partner-unavailable-next = Try again in a moment.
trouble-partner-not-trusted-title = The one who asks could not be verified
trouble-partner-not-trusted-happened = The one who asks does not belong to the cities' network, or its membership has ended.
trouble-partner-not-trusted-next = Do not give your data in another way if you are not sure who is asking. Contact the service you came from.
trouble-session-ended-title = Your session ended
trouble-session-ended-happened = You were away for a while, so you were logged out for safety.
trouble-session-ended-next = Log in again and go on from where you were.
trouble-form-refused-title = The form could not be accepted
trouble-form-refused-happened = The form was open for too long, or it was sent from somewhere other than this service.
trouble-form-refused-next = Open the page again and make your choice there.
trouble-too-many-title = Too many tries
trouble-too-many-happened = So many requests came in a short time that the service slowed them down.
trouble-too-many-next = Wait a minute and then try again.
trouble-bad-request-title = The request was not understood
trouble-bad-request-happened = There was something in the browser's request that the service did not understand.
trouble-bad-request-next = Go back to the previous page and try again.
trouble-unavailable-title = The service is not available right now
trouble-unavailable-happened = The service could not make sure of everything it needs, so it did nothing.
trouble-unavailable-next = Try again in a moment.
trouble-internal-title = Something is wrong with the service
trouble-internal-happened = The fault is in the service, not in anything you did. It has been recorded.
trouble-internal-next = Try again in a moment. If it goes on, contact the city.

## Problem types of the APIs

problem-kicker = API problem
problem-lead = This page explains what an error message between programs means. The error has given out nobody's data.
problem-meaning = What it means
problem-next = What to do
problem-side = Whose side it is on
problem-status = HTTP status
problem-type = Type
side-caller = The calling program
side-resident = The resident's decision
side-recipient = The city that asks for data
side-holder = The city that holds the data
side-register = The register
side-provider = The login service
side-node = This node
problem-invalid-request-title = The request has the wrong form
problem-invalid-request-meaning = Something is missing from the request, or it has a field or value that the API does not know.
problem-invalid-request-next = Correct the request as the answer's detail says. Repeating it will not help.
problem-not-authenticated-title = The caller is not authenticated
problem-not-authenticated-meaning = The service's credentials are missing, wrong or expired.
problem-not-authenticated-next = Get a new access credential with the service's own identifier and secret, and try again.
problem-not-allowed-title = The caller may not do this
problem-not-allowed-meaning = The service is known but has no right to this operation.
problem-not-allowed-next = Check the service's rights with the city's operator.
problem-not-found-title = Not found
problem-not-found-meaning = It does not exist, or it is not the caller's. The answer is the same in both cases.
problem-not-found-next = Check the address and the identifier.
problem-conflict-title = The request does not fit the present state
problem-conflict-meaning = It has changed in the meantime, or the same operation was done before.
problem-conflict-next = Read the state again and decide from there.
problem-too-large-title = The request is too large
problem-too-large-meaning = The request exceeds the allowed size.
problem-too-large-next = Make the request smaller.
problem-too-many-requests-title = Too many requests
problem-too-many-requests-meaning = More requests came in a short time than are allowed.
problem-too-many-requests-next = Wait for the time given in the Retry-After header.
problem-permission-waiting-title = The resident has not decided yet
problem-permission-waiting-meaning = Permission was asked for, but no answer has come. Data cannot be fetched before that.
problem-permission-waiting-next = Lead the resident to the decision, or wait. The request lapses by itself at its deadline.
problem-permission-declined-title = The resident did not give permission
problem-permission-declined-meaning = The resident decided not to give it. The decision is final for this request.
problem-permission-declined-next = Handle the matter in another way. Do not ask again within 30 days.
problem-permission-ended-title = The permission has ended
problem-permission-ended-meaning = The resident stopped it, its time ran out, or the allowed fetches were made.
problem-permission-ended-next = Ask for a new permission if you need one.
problem-use-not-declared-title = The request goes beyond the declared use
problem-use-not-declared-meaning = It asks for data, a purpose or a time that the city has not declared for the service.
problem-use-not-declared-next = Narrow the request, or update the declared use at /catalogue/uses.
problem-not-a-member-title = The other side is not a member
problem-not-a-member-meaning = The other side could not be verified as a member of the cities' network.
problem-not-a-member-next = Check its membership and the trust anchor.
problem-exchange-refused-title = The other city refused the exchange
problem-exchange-refused-meaning = The city that holds the data did not accept the exchange. No data was given.
problem-exchange-refused-next = Read the permission's state. If it is in force, contact the city's operator with the trace id.
problem-answer-refused-title = The answer was not accepted
problem-answer-refused-meaning = The other city's answer or its receipt did not pass the checks. The data was discarded.
problem-answer-refused-next = Contact the city's operator with the trace id.
problem-holder-unavailable-title = The other city does not answer
problem-holder-unavailable-meaning = The city that holds the data cannot be reached.
problem-holder-unavailable-next = Try again as the Retry-After header says.
problem-register-unavailable-title = The register does not answer
problem-register-unavailable-meaning = The register that holds the data cannot be reached.
problem-register-unavailable-next = Try again as the Retry-After header says.
problem-provider-unavailable-title = The login service does not answer
problem-provider-unavailable-meaning = The city's login service cannot be reached.
problem-provider-unavailable-next = Try again as the Retry-After header says.
problem-unavailable-title = The node cannot answer right now
problem-unavailable-meaning = The node could not make sure of everything it needs, so it did nothing.
problem-unavailable-next = Try again as the Retry-After header says.
problem-outcome-unknown-title = It is not known whether this took effect
problem-outcome-unknown-meaning = The database did not answer when the change was to be kept. The change may have been made, or it may not.
problem-outcome-unknown-next = Read it again before you repeat the request.
problem-internal-title = A fault in the node
problem-internal-meaning = The node has a fault, which has been recorded.
problem-internal-next = Contact the operator with the trace id.

## Pausing

notice-paused = The permission is paused. Nothing is fetched until you let it go on.
notice-resumed = The permission is in force again.
notice-not-resumed = The permission stays paused: the service no longer states a use that this permission covers.
pause-title = Pausing
pause-lead = You can pause this permission for a while. Nothing is fetched while it is paused, and its last day stays the same.
pause-now = The permission is paused. Nothing is fetched. You can let it go on or stop it for good.
pause-by-use = The permission is on hold because { $asker } has changed what its service may ask for. It goes on by itself if it fits again, unless you pause it yourself. You can also stop it for good.
pause-by-trust = The permission is on hold because we cannot verify now that { $asker } is a trusted member. Nothing is fetched. It goes on by itself once that is settled, unless you pause it yourself. You can also stop it for good.
pause = Pause permission
resume = Resume permission
change-not-taken = The permission ended because nobody took it into use in time.
change-withdrawn = The city ended the permission for safety: someone tried to use it a second time.
change-held-back = The permission was put on hold because the service changed what it may ask for.
change-held-back-untrusted = The permission was put on hold because the receiving city could not be verified as trusted.
problem-permission-suspended-title = The permission is paused
problem-permission-suspended-meaning = The resident has paused it, or the declared use that it rests on does not cover it now. It may go on later.
problem-permission-suspended-next = Do not ask again. The permission's state says when it is in force.

## Confirming with a stronger login or a passkey

problem-confirmation-needed-title = The resident must confirm again
problem-confirmation-needed-meaning = The city that holds the data has come to ask for a stronger or fresher login, or for a passkey, than the permission was given with.
problem-confirmation-needed-next = Ask for the permission anew. The resident confirms it in the way that is asked for now.
passkeys-title = Passkeys
passkeys-lead = With a passkey you confirm your decisions on your own device, for example with your fingerprint. Some data may be given only if you confirm the permission with a passkey too.
passkeys-none = You have no passkeys here.
passkeys-added = Added
passkeys-used = Last used
passkeys-unused = Not used yet
passkeys-remove = Remove passkey
passkeys-remove-hint = Removing a passkey does not change permissions that you have already given.
passkeys-add = Add passkey
passkey-new-title = Add a passkey
passkey-new-lead = Your browser asks where to keep the passkey: on this device, in your phone or on a security key. The city does not learn your fingerprint or your code.
passkey-label = Name of the passkey
passkey-label-hint = A name that you recognise, for example Phone.
passkey-needs-script = A passkey works only when JavaScript is on in your browser and the browser supports passkeys. This is the only part of the service that needs it.
passkey-failed = The passkey did not confirm. Nothing has changed. Try again.
passkey-known = This device has a passkey for this service already. A new one is not needed.
passkey-confirm-title = Confirm with your passkey
passkey-confirm-lead = With your passkey you confirm that you give this permission. It goes to { $city }.
passkey-confirm = Confirm permission
passkey-confirm-back = Back to the decision
passkey-confirm-after = After that the login service confirms the same permission. Nothing is given before.
consent-passkey-ready = For this data you confirm the permission with your passkey too.
consent-passkey-missing = For this data the permission must be confirmed with a passkey too, and you have none here.
consent-passkey-add = Add a passkey first
me-passkeys = For some confidential data you confirm the permission on your own device too.
me-passkeys-link = See your passkeys
permission-signed-with-passkey = You confirmed it with your passkey too.
notice-passkey-added = The passkey is added.
notice-passkey-removed = The passkey is removed.
notice-objection-made = Your objection is recorded. The city answers it.
notice-objection-stands = You have objected to this use already. The city has not answered yet.
trouble-passkey-needed-title = A passkey is needed
trouble-passkey-needed-happened = For this data the permission is confirmed with a passkey too, and you have no fitting one here.
trouble-passkey-needed-next = Add a passkey. After that you come back to the decision.
trouble-passkey-refused-title = The passkey was not accepted
trouble-passkey-refused-happened = The passkey’s confirmation did not match what was asked for.
trouble-passkey-refused-next = Try again. If you have another passkey or browser, try that one.
refusal-unconfirmed = The city asks you to confirm this permission again.

## Reminders, deletion, news that does not arrive

ends-soon = Ends soon: { $day }
ends-soon-then = It does not go on by itself. The service must ask you again if it still needs the data.
deletion-title = Deletion of what was fetched
deletion-due = { $asker } must delete the data that it fetched by { $day }. It has not said yet that it has.
deletion-overdue = { $asker } should have deleted the data that it fetched by { $day }, and has not said that it has.
deletion-ask = You can ask its data protection officer:
deletion-confirmed = { $asker } confirmed that it deleted the data that it fetched on { $day }.
permission-stop-given-up = Nothing more is fetched. { $asker } could not be told that the permission was stopped: it did not answer for a long time.


# Receipts
receipts-title = Receipts
receipts-lead = You get a receipt of every decision you make and of every change after it. The city has signed them electronically.
receipts-none = You have no receipts yet.
receipts-all = All receipts
receipt-title = Receipt
receipt-open = Open the receipt
receipt-to-permission = The permission
receipt-change-withdrawn = The city ended the permission, because it was not collected in time or somebody tried to misuse it.
receipt-event = What happened
receipt-number = Number of the receipt
receipt-permission-number = Number of the permission
receipt-version = receipt { $n }
receipt-when = When
receipt-how = How
receipt-method-signed = In this service. The login service confirmed the decision with an electronic signature.
receipt-method-portal = In this service.
receipt-method-asker = The one who asked told us.
receipt-method-rule = By itself, as the terms of the permission say.
receipt-person = Whose data
receipt-person-meaning = A code by which the one who gets the data knows you. It tells nobody else anything.
receipt-parties = Who, and to whom
receipt-from = Who gives the data
receipt-to = Who gets the data
receipt-what = What, and why
receipt-service = Service
receipt-purpose = Why, word for word as you saw it
receipt-in-finnish = Shown in Finnish.
receipt-in-swedish = Shown in Swedish.
receipt-in-english = Shown in English.
receipt-digest = Checksum of the text:
receipt-data = Data
receipt-nothing-allowed = No data was given.
receipt-until = Last day
receipt-times = Fetches at most
receipt-period = The time that the data is about
receipt-rights = Your rights
receipt-withdraw = How to stop the permission
receipt-withdraw-portal = In this service:
receipt-withdraw-else = Without this service: give the number of the receipt by letter, e-mail or in person:
receipt-complain = Complaint
receipt-proof = Proof
receipt-proof-meaning = The city has signed the receipt electronically. Keep the signed receipt: with it anyone can check that not a letter was changed.
receipt-check = Check a receipt
receipt-keys = The keys of the city
receipt-signature = Confirmation by the login service
receipt-log = Entry in the log of the city
receipt-download-signed = Download the signed receipt
receipt-download-readable = Download a readable copy
receipt-others = All receipts of this permission
receipt-this = this receipt
evidence-bundle = Proof file
evidence-bundle-meaning = One file with everything about this permission: your decision, the signatures and the receipts. It can be checked anywhere, also years from now. Keep it to yourself.
evidence-bundle-download = Download the proof file
receipts-erased = The receipts and the proof file of this permission have been erased, because the time for keeping them was over. The copies that you have kept can still be checked.
verify-title = Check a receipt
verify-lead = Here anyone can check whether a receipt is genuine. You do not need to log in.
verify-file = The signed receipt as a file
verify-paste = or as text
verify-kept = The receipt is not kept.
verify-do = Check
verify-good = The receipt is genuine
verify-not-good = This cannot be relied on
verify-signed = { $signer } signed it on { $when }. Not a letter was changed since.
verify-key-in-use = The key of the signature is in use.
verify-key-retired = The key of the signature has been replaced by a new one. What was signed with it before is valid.
verify-key-given-up = The key of the signature was taken out of use, but the receipt was recorded before that.
verify-key-compromised = Somebody else may have got hold of the key of the signature, and this receipt is not known from before that. So the signature proves nothing.
verify-says = What the receipt says
verify-exchange = Data was given on the basis of a permission.
verify-records = Records
verify-altered = The signature does not fit. The receipt was changed after { $signer } signed it, or somebody else signed it. A single changed letter is enough.
verify-unknown-key = The receipt says that { $signer } signed it, but no such key of theirs is published. It cannot be checked here whether it is genuine.
verify-unknown-signer = The receipt says that { $signer } signed it, who is not a member of the network of cities.
verify-unavailable = The receipt says that { $signer } signed it, whose keys cannot be fetched now. Try again later.
verify-unsigned = This is the readable copy, which nobody signed. To check it, the signed receipt is needed.
verify-no-receipt = This is not a receipt, or a part of it is missing. Upload or paste the whole signed receipt.
## Limits that the resident chooses

consent-times-per-label = Fetches at most in any { $period }
consent-reach-legend = Which time may the data be about?
consent-reach-lead = You can give only what concerns a certain time. Leave both empty to give it as stated above.
consent-reach-from = From
consent-reach-to = To
consent-retention-choice = You may choose a shorter time
times-value-per = { $used } so far, at most { $allowed } in any { $period }
use-times-per = { $n } in any { $period }
refusal-too-often = It had been fetched as often as you allowed for that time.

## A new permission in the place of another

instead-title = What would change
instead-extends = You have given a permission for this already. The new one would add to it and take its place.
instead-replaces = You have given a permission for this already. The new one would take its place.
instead-new-fields = Asked for in addition
instead-dropped-fields = No longer asked for
instead-persons = Covered until now
instead-was = Now: { $value }.
instead-would-be = Asked: { $value } at most.
instead-otherwise = If you don't allow it, your present permission stays as it is.

## Refusing for good

denials-title = What I have refused
denials-lead = You can refuse for good what a service, a city or anybody may ask. Such a request is answered with no at once, without asking you. Only you see that it came, in your activity. After a plain no, the same service does not ask for the same again for 30 days.
denials-open = What I have refused
denials-none = You have refused nothing.
denials-what = What is refused
denials-city = Everything that this city asks for
denials-use = This use
denials-data = This data, whoever asks
denials-since = Since
denials-until = Until
denials-for-good = For good
denials-remove = Let them ask again
denials-add-title = Refuse some data to everybody
denials-add-lead = Permissions that you have given stay in force. A single service or city can be refused on its own page.
denials-data-label = Data
denials-add = Refuse for good
notice-denial-added = It is refused for good. You will not be asked about it.
notice-denial-removed = You may be asked about it again.
never-label = May you be asked again, if you don't allow it?
never-ask-again = Yes, I can be asked again
never-use = Don't ask again for this use
never-partner = { $city } must not ask me anything
never-dataset = Nobody may ask for this data
never-lead = This counts only if you don't allow. You can change it on your page.
refusal-standing-denial = You have refused it. The one who asked got a plain no.
## Members: who vouches for whom

partners-verified-lead = Only members of the cities’ network that have been verified can ask for data or give it. Each is vouched for by signatures that this service checks by itself, again and again.
partners-unknown = Who belongs to the network cannot be checked right now. Until it can, nothing is asked for and nothing is sent.
partners-verified = Verified member of the network
partners-by = Vouched for by
partners-roles = What it may do
partners-role-consent-issuer = lets residents decide about their data
partners-role-data-holder = gives data that residents have allowed
partners-role-data-recipient = asks for data and fetches it
partners-role-none = nothing for the time being
partners-until = Holds until
partners-renewed = It is renewed before that if all is well.
partners-details = For those who want to check
partners-address = Address
partners-mark = Trust mark
partners-mark-by = Given by
partners-statement = Signed statement
partners-statement-about = { $issuer } about { $subject }
partners-keys = Keys
partners-broken = Not available right now
partners-broken-effect = Nothing can be asked for or fetched with it until this is mended. The permissions that you have given stay as they are.
partners-side-here = The fault is on this city’s own side.
partners-side-member = The fault is on the member’s side.
partners-side-intermediate = The fault is with the one who vouches for this member.
partners-side-anchor = The fault is with the network’s shared trust service.
partners-side-network = The fault is in the connections between the cities.
partners-why-silent = No answer comes.
partners-why-unfit = An answer comes, but its signatures could not be verified.
partners-why-not-member = Nobody vouches for this member any more.
partners-why-no-role = It is a member, but has no right to ask for data or to give it.

error-log-in = Log in and continue
error-choices-kept = What you chose is kept. You see it again when you have logged in.
trouble-stop-unknown-title = It is not certain yet whether this took effect
trouble-stop-unknown-happened = The service did not get an answer in time. Your request may have taken effect, or it may not.
trouble-stop-unknown-next = Open the permission to see its state now. If it is still in force, try again: doing it twice does no harm.
trouble-outcome-unknown-title = It is not certain yet whether this took effect
trouble-outcome-unknown-happened = The service did not get an answer in time. What you did may have taken effect, or it may not.
trouble-outcome-unknown-next = Open your own page to see how things are now. If it did not take effect, do it again: doing it twice does no harm.
decided-before-allowed = You gave this permission on { $moment }.
decided-before-declined = You did not give this permission.
field-errors-in-title = Error:
field-errors-title = Please check what you filled in
field-errors-kept = Nothing was decided. Everything you chose is still here.
field-until-not-a-day = Write the last day as a date, for example 31.12.2027.
field-until-outside = The last day must be between { $earliest } and { $latest }.
field-persons-none = Choose whose data the permission covers: at least one person or record.
field-persons-both = You chose both everything about a person and a single record of theirs. Leave only one of the two.
field-persons-too-many = That is too much for one permission. Choose at most { $persons } people and { $records } single records.
field-times = Write how many fetches you allow: a number from 1 to { $most }.
field-reach-from-not-a-day = Write the first day as a date, for example 1.8.2026, or leave it empty.
field-reach-to-not-a-day = Write the last day as a date, for example 31.7.2027, or leave it empty.
field-reach-reversed = The last day must not come before the first day.
field-reach-outside = The day must be between { $from } and { $to }.

nav-data = My data
holdings-title = My data
holdings-lead = What { $city } holds about you in these registers, read from them right now.
holdings-not-stored = Nothing of this is stored here. Registers that are not on this page may hold more about you.
holdings-no-datasets = No register is connected to this service.
holdings-contents = On this page
holdings-all = All my data
holdings-reading = Reading the register…
holdings-none = The register has nothing about you.
holdings-later = The register has your data from { $moment }. Open this page again after that.
holdings-login-needed = This data is shown only after a stronger or more recent login.
holdings-log-in = Log in again
holdings-unavailable = This register did not answer, so what it has about you cannot be shown right now.
holdings-try-again = Try again
holdings-why = Why the city has this, and for how long
holdings-correct = Is something wrong? Ask for a correction:
holdings-download-title = Take a copy
holdings-download-lead = All of this as one file: a page to read, tables, and a signature that shows that the city gave it. Keep it safe: anyone who has the file can read it.
holdings-download = Download my data
export-title = My data at { $city }
export-title-article-15 = { $city } answers your request for your data
export-made = Read from the registers { $moment }.
export-files = The same data is beside this page as tables (.csv), and as data.json for programs. manifest.jws is the city’s signature over every file.
export-others = Registers that are not connected to this service may hold more about you.
export-table = Table
export-later = The register has this data from { $moment }, so it is not in this copy.
export-login-too-weak = Not in this copy: this data is given only after a stronger or more recent login.
export-unavailable = Not in this copy: this register did not answer.
export-permissions = Permissions that you have given
export-permissions-none = You have given none.
export-rights = Your rights
export-rights-text = You can ask for a correction, for erasure or for a limit on the use of your data, and you can object to its use.

## Uses by contract and law

uses-title = What your data is used for
uses-lead = What { $city } uses data about its residents for. Some of it you decide yourself, some rests on a contract, some on law.
uses-choice-title = You decide
uses-choice = Services that ask get this data only with your permission. You can stop a permission at any time.
uses-contract-title = A contract
uses-contract = You have agreed on something with the city, and it needs this data for that. When the contract ends, so does the use.
uses-contract-none = No use of the city's data rests on a contract.
uses-law-title = The law decides
uses-law = These rest on law. Your permission is not asked. You can always ask, and have wrong data corrected. Where the law gives you the right to object, there is a button for it.
uses-law-none = No use by law is listed here.
uses-yours = Your data
uses-reported = { $n ->
    [one] Used once, { $moment }.
   *[other] Used { $n } times, last { $moment }.
    }
uses-see-log = See the activity
uses-not-reported = No use of your data has been reported.
uses-unknown = This service does not report its uses yet. It may not concern you.
uses-object = Object
uses-objected = You objected to this use on { $day }.
uses-objection-waits = The city has not answered yet.
uses-objection-upheld = The city accepted your objection on { $day }.
uses-objection-rejected = The city answered on { $day } that it has to go on using the data.
object-title = Object to this use
object-what = You can ask the city to stop using your data in this way, for a reason that has to do with your own situation. The city looks into it and answers. It may go on only if it has a weighty reason.
object-statement = Why do you object? You need not write anything.
object-statement-hint = Do not write anybody's personal identity code here.
object-send = Record the objection
object-back = Go back
object-next = Your objection and its answer stay visible on the page of uses. You can also write to:
