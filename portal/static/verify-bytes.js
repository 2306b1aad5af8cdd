// Bytes, digests and Ed25519 (WebCrypto), and which public keys are sound (RFC 8032, section 5.1).
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

  function ofText(text) { return new TextEncoder().encode(text); }
  function toText(bytes) { return new TextDecoder().decode(bytes); }
  function equal(a, b) {
    return a.length === b.length && a.every(function (byte, at) { return byte === b[at]; });
  }
  function join(parts) {
    var whole = new Uint8Array(parts.reduce(function (sum, part) { return sum + part.length; }, 0));
    parts.reduce(function (at, part) { whole.set(part, at); return at + part.length; }, 0);
    return whole;
  }
  function hex(bytes) {
    return Array.from(bytes, function (byte) { return byte.toString(16).padStart(2, "0"); }).join("");
  }
  function ofHex(text) {
    return Uint8Array.from(text.match(/../g) || [], function (pair) { return parseInt(pair, 16); });
  }
  function toBase64(bytes) {
    return btoa(Array.from(bytes, function (byte) { return String.fromCharCode(byte); }).join(""));
  }
  // The one encoding only: what decodes to the same bytes in another way is refused.
  function ofBase64(text, where) {
    var bytes;
    try {
      bytes = Uint8Array.from(atob(text), function (mark) { return mark.charCodeAt(0); });
    } catch (error) {
      throw new Error(where + " is not base64");
    }
    if (toBase64(bytes) !== text) { throw new Error(where + " is not base64 in its canonical form"); }
    return bytes;
  }

  async function digest(name, bytes) {
    return new Uint8Array(await crypto.subtle.digest(name, bytes));
  }
  async function sha256(bytes) { return hex(await digest("SHA-256", bytes)); }

  // The first 20 characters of the digest in base32: the bundle's id.
  function idOf(digestHex) {
    var bits = ofHex(digestHex).slice(0, 13), found = "";
    for (var at = 0; at < 100; at += 5) {
      var pair = bits[at >> 3] << 8 | bits[(at >> 3) + 1];
      found += ALPHABET[pair >> 11 - (at & 7) & 31];
    }
    return found;
  }

  // Why this browser cannot do what is needed; empty if it can.
  async function lacking() {
    if (!window.crypto || !crypto.subtle) {
      return "this browser computes digests only on pages that are served by https or opened as files";
    }
    return "";
  }
  async function lacksEd25519() {
    try {
      // RFC 8032, section 7.1, test 1
      await signed(ofHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
        new Uint8Array(64), new Uint8Array(0));
      return false;
    } catch (error) {
      return true;
    }
  }
  async function signed(raw, signature, message) {
    var key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
    return crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
  }

  var P = 2n ** 255n - 19n;
  function mod(value) { return (value % P + P) % P; }
  function power(base, exponent) {
    var found = 1n;
    for (; exponent; exponent >>= 1n) {
      if (exponent & 1n) { found = found * base % P; }
      base = base * base % P;
    }
    return found;
  }
  function inverse(value) { return power(mod(value), P - 2n); }
  var D = mod(-121665n * inverse(121666n)), ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

  function recoverX(y) {
    var square = mod((y * y - 1n) * inverse(D * y * y + 1n)), x = power(square, (P + 3n) / 8n);
    return [x, x * ROOT_OF_MINUS_ONE % P].find(function (one) { return one * one % P === square; });
  }
  function doubled(point) {
    var x = point[0], y = point[1], product = mod(D * x * x % P * y % P * y);
    return [mod(2n * x * y * inverse(1n + product)), mod((y * y + x * x) * inverse(1n - product))];
  }
  // Why these bytes must not be taken as a public key; empty if they are sound. A point of small
  // order verifies any message; a second encoding would give one key two identities.
  function unsound(raw) {
    if (raw.length !== 32) { return "not 32 bytes"; }
    var encoded = BigInt("0x" + hex(raw.slice().reverse())), sign = encoded >> 255n;
    var y = encoded & 2n ** 255n - 1n, x = y < P ? recoverX(y) : undefined;
    if (y >= P || (x === 0n && sign)) { return "not the canonical encoding of a point"; }
    if (x === undefined) { return "not a point of the curve"; }
    var last = doubled(doubled(doubled([x, y])));
    return last[0] === 0n && last[1] === 1n
      ? "a point of small order, which verifies any message" : "";
  }

  levelfield.bytes = {
    ofText: ofText, toText: toText, equal: equal, join: join, hex: hex, ofHex: ofHex,
    toBase64: toBase64, ofBase64: ofBase64, digest: digest, sha256: sha256, idOf: idOf,
    lacking: lacking, lacksEd25519: lacksEd25519, signed: signed, unsound: unsound
  };
})();
