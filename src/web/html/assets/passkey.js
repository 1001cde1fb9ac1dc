// Asks the browser for a passkey (Web Authentication) and puts its answer into the form, which is sent as any other is.
'use strict';

const form = document.querySelector('form[data-passkey]');
const button = form.querySelector('button[type="submit"]');
const failed = document.getElementById('passkey-failed');
// Only where a passkey is added: the device has one for this service already.
const known = document.getElementById('passkey-known');

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (character) => character.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

async function ask() {
  const { publicKey } = JSON.parse(form.dataset.options);
  const creating = form.dataset.passkey === 'create';
  publicKey.challenge = bytes(publicKey.challenge);
  if (creating) publicKey.user.id = bytes(publicKey.user.id);
  for (const passkey of [...(publicKey.excludeCredentials ?? []), ...(publicKey.allowCredentials ?? [])]) {
    passkey.id = bytes(passkey.id);
  }
  const made = creating
    ? await navigator.credentials.create({ publicKey })
    : await navigator.credentials.get({ publicKey });
  const response = {};
  for (const part of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (made.response[part]) response[part] = text(made.response[part]);
  }
  return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, extensions: {} });
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  for (const message of [failed, known]) if (message) message.hidden = true;
  button.disabled = true;
  try {
    form.elements.answer.value = await ask();
    form.submit();
  } catch (error) {
    (known && error.name === 'InvalidStateError' ? known : failed).hidden = false;
    button.disabled = false;
  }
});

if (window.PublicKeyCredential) {
  document.getElementById('passkey-needs-script').hidden = true;
  button.hidden = false;
}
