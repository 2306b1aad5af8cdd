// Public keys in OpenSSH's form, the keyring, and signatures by OpenSSH (PROTOCOL.sshsig, .u2f).
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes;
  var PLAIN = "ssh-ed25519", TOKEN = "sk-ssh-ed25519@openssh.com", NAMESPACE = "levelfield";
  var HEAD = "-----BEGIN SSH SIGNATURE-----\n", FOOT = "\n-----END SSH SIGNATURE-----\n";
  var PRESENT = 1, VERIFIED = 4;

  // Fields as SSH writes them (RFC 4251, section 5); what is cut short or left over is refused.
  function Wire(data, where) { this.data = data; this.where = where; this.at = 0; }
  Wire.prototype.take = function (count) {
    if (count > this.data.length - this.at) { throw new Error(this.where + ": cut short"); }
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  };
  Wire.prototype.number = function () {
    return this.take(4).reduce(function (sum, byte) { return sum * 256 + byte; }, 0);
  };
  Wire.prototype.string = function () { return this.take(this.number()); };
  Wire.prototype.text = function () {
    return String.fromCharCode.apply(null, this.string().subarray(0, 4096));
  };
  Wire.prototype.end = function () {
    var left = this.data.length - this.at;
    if (left) { throw new Error(this.where + ": " + left + " bytes too many"); }
  };
  function number(value) {
    return Uint8Array.of(value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255);
  }
  function string(data) { return bytes.join([number(data.length), data]); }

  function keyOf(blob, where) {
    var fields = new Wire(blob, where), kind = fields.text();
    if (kind !== PLAIN && kind !== TOKEN) { throw new Error(where + ": not an Ed25519 public key"); }
    var raw = fields.string(), application = kind === TOKEN ? fields.string() : null;
    fields.end();
    var reason = bytes.unsound(raw);
    if (reason) { throw new Error(where + ": public key refused: " + reason); }
    return { kind: kind, raw: raw, application: application };
  }
  function same(a, b) {
    return a.kind === b.kind && bytes.equal(a.raw, b.raw) &&
      (a.application === null || bytes.equal(a.application, b.application));
  }

  async function readEntry(entry, where) {
    var place = where + ": key of " + entry.organisation, parts = entry.public_key.split(/\s+/);
    if (parts.length < 2) { throw new Error(place + ": not an Ed25519 public key"); }
    var key = keyOf(bytes.ofBase64(parts[1], place), place);
    if (key.kind !== parts[0]) { throw new Error(place + ": says another kind of key than it holds"); }
    if (await bytes.sha256(key.raw) !== entry.key_id) {
      throw new Error(place + ": key_id is not the key's SHA-256");
    }
    var to = entry.to_index === undefined ? null : entry.to_index, from = entry.from_index || 0;
    var status = entry.status || "active";
    if ((status === "active") !== (to === null)) {
      throw new Error(place + ": " + status + " with to_index " + to);
    }
    if (to !== null && to < from) { throw new Error(place + ": ends before it begins"); }
    return Object.assign({}, entry, { key: key, from_index: from, to_index: to, status: status });
  }
  // The entries of a keyring's file, each with its key; refused as submissions/keys.py refuses it.
  async function readKeyring(data, where) {
    var found = levelfield.json.read(data, where, levelfield.records.keyring), held = new Map();
    var entries = [];
    for (var entry of found.keys || []) {
      entry = await readEntry(entry, where);
      if (held.has(entry.key_id)) { throw new Error(where + ": another entry holds this key"); }
      held.set(entry.key_id, entry);
      entries.push(entry);
    }
    entries.forEach(function (one) {
      var before = held.get(one.replaces);
      if (one.replaces && (!before || before === one || before.organisation !== one.organisation)) {
        throw new Error(where + ": replaces no key of " + one.organisation);
      }
    });
    return entries;
  }

  function unarmour(data, where) {
    var text = Array.from(data, function (byte) { return String.fromCharCode(byte); }).join("");
    if (data.length > 4096 || text.indexOf(HEAD) !== 0 || text.slice(-FOOT.length) !== FOOT) {
      throw new Error(where + ": not an armoured SSH signature");
    }
    var inner = text.slice(HEAD.length, -FOOT.length), packed = inner.replace(/\n/g, "");
    if (packed.replace(/.{70}(?!$)/g, "$&\n") !== inner) {
      throw new Error(where + ": not armoured as ssh-keygen does");
    }
    return bytes.ofBase64(packed, where + ": its armour");
  }
  function readSignature(data, where) {
    var fields = new Wire(unarmour(data, where), where);
    var magic = bytes.toText(fields.take(6));
    if (magic !== "SSHSIG" || fields.number() !== 1) {
      throw new Error(where + ": not an SSH signature of version 1");
    }
    var found = { key: keyOf(fields.string(), where) }, namespace = fields.text();
    found.reserved = fields.string();
    if (namespace !== NAMESPACE) {
      throw new Error(where + ": made for another namespace than " + NAMESPACE);
    }
    found.hash = fields.text();
    if (found.hash !== "sha256" && found.hash !== "sha512") {
      throw new Error(where + ": its hash is neither sha256 nor sha512");
    }
    readInner(new Wire(fields.string(), where), found, where);
    fields.end();
    return found;
  }
  function readInner(fields, found, where) {
    if (fields.text() !== found.key.kind) {
      throw new Error(where + ": its signature is of another type than its key");
    }
    found.signature = fields.string();
    if (found.key.kind === TOKEN) {
      found.flags = fields.take(1)[0];
      found.counter = fields.number();
      if (!(found.flags & PRESENT)) { throw new Error(where + ": the token's owner was not present"); }
      if (found.flags & ~(PRESENT | VERIFIED)) {
        throw new Error(where + ": the token's flags are " + found.flags + "; refused");
      }
    }
    fields.end();
  }
  // What the key signs in place of the message.
  async function signedBytes(found, message) {
    var name = found.hash === "sha256" ? "SHA-256" : "SHA-512";
    var inner = bytes.join([bytes.ofText("SSHSIG"), string(bytes.ofText(NAMESPACE)),
      string(found.reserved), string(bytes.ofText(found.hash)),
      string(await bytes.digest(name, message))]);
    if (found.key.kind === PLAIN) { return inner; }
    return bytes.join([await bytes.digest("SHA-256", found.key.application),
      Uint8Array.of(found.flags), number(found.counter), await bytes.digest("SHA-256", inner)]);
  }
  // Whose key made the armoured signature over `message`.
  async function verifySsh(data, message, where, trusted) {
    var found = readSignature(data, where);
    var entry = trusted.find(function (one) { return same(one.key, found.key); });
    if (!entry) { throw new Error(where + ": signed by an unknown key"); }
    if (await bytes.signed(found.key.raw, found.signature, await signedBytes(found, message))) {
      return entry;
    }
    throw new Error(where + ": bad signature: the key of " + entry.organisation +
      " did not sign this");
  }

  levelfield.keys = { readKeyring: readKeyring, verifySsh: verifySsh };
})();
