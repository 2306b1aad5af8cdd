// A round's log: signed checkpoints (C2SP signed-note) and proofs of inclusion (RFC 9162, 2.1.3.2).
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes;
  var BODY = /^([!-*,-~]{1,128})\n(0|[1-9][0-9]{0,14})\n([A-Za-z0-9+/]{43}=)$/;
  var LINE = /^— ([!-*,-~]{1,128}) ([A-Za-z0-9+/]{2,200}={0,2})$/;
  var MAX_NOTE = 65536, MAX_SIGNATURES = 64, ED25519 = 1, COSIGNATURE = 4;

  function readNote(text, where) {
    var cut = text.indexOf("\n\n"), body = BODY.exec(text.slice(0, Math.max(cut, 0)));
    var lines = text.slice(cut + 2).split("\n");
    if (text.length > MAX_NOTE || !body || lines.pop() !== "" || !lines.length ||
        lines.length > MAX_SIGNATURES) {
      throw new Error(where + ": not a checkpoint: origin, size, root and signatures");
    }
    return {
      origin: body[1], size: Number(body[2]), root: bytes.ofBase64(body[3], where + ": its root"),
      body: bytes.ofText(text.slice(0, cut + 1)),
      signatures: lines.map(function (line) { return readLine(line, where); })
    };
  }
  function readLine(line, where) {
    var found = LINE.exec(line), raw = found && bytes.ofBase64(found[2], where + ": a signature");
    if (!found || raw.length < 5) { throw new Error(where + ": not a signature line"); }
    return { name: found[1], hash: bytes.hex(raw.slice(0, 4)), signature: raw.slice(4) };
  }
  // The signatures by this key under this name, of this type (signed-note, "Signatures").
  async function made(note, name, kind, raw) {
    var data = bytes.join([bytes.ofText(name + "\n"), Uint8Array.of(kind), raw]);
    var hash = bytes.hex((await bytes.digest("SHA-256", data)).slice(0, 4));
    return note.signatures.filter(function (one) {
      return one.name === name && one.hash === hash;
    }).map(function (one) { return one.signature; });
  }
  // The organisations whose keys signed for the log.
  async function checkSigned(note, trusted, where) {
    var signers = new Set();
    for (var entry of trusted) {
      for (var signature of await made(note, note.origin, ED25519, entry.key.raw)) {
        if (!await bytes.signed(entry.key.raw, signature, note.body)) {
          throw new Error(where + ": bad signature: the key of " + entry.organisation +
            " did not sign this");
        }
        signers.add(entry.organisation);
      }
    }
    if (!signers.size) {
      throw new Error(where + ": signed by no key that the keyring gives the role log or root");
    }
    return signers;
  }
  // Whose witnesses cosigned, each organisation's last word, by their own clocks: C2SP
  // tlog-cosignature. Never those of an organisation whose key signs the log.
  async function witnessed(note, keys, where) {
    var last = Math.max(note.size - 1, 0), found = new Map();
    for (var entry of keys) {
      var mayWitness = entry.roles.indexOf("witness") >= 0 && entry.key.application === null &&
        (counts(entry, last) || counts(entry, note.size));
      for (var data of mayWitness ? await made(note, entry.organisation, COSIGNATURE, entry.key.raw) : []) {
        var time = await timeOf(data, note, entry, where);
        if (!note.signers.has(entry.organisation)) {
          found.set(entry.organisation, Math.max(time, found.get(entry.organisation) || 0));
        }
      }
    }
    return found;
  }
  async function timeOf(data, note, entry, where) {
    var time = data.slice(0, 8).reduce(function (sum, byte) { return sum * 256n + BigInt(byte); }, 0n);
    var said = bytes.join([bytes.ofText("cosignature/v1\ntime " + time + "\n"), note.body]);
    if (time >= 2n ** 63n || !await bytes.signed(entry.key.raw, data.slice(8), said)) {
      throw new Error(where + ": bad cosignature: " + entry.organisation + " did not witness this");
    }
    return Number(time);
  }

  function node(left, right) {
    return bytes.digest("SHA-256", bytes.join([Uint8Array.of(1), left, right]));
  }
  async function included(leaf, index, size, proof, root) {
    if (index >= size) { return false; }
    var at = index, last = size - 1, found = leaf;
    for (var step of proof) {
      if (last === 0) { return false; }
      if (at % 2 || at === last) {
        found = await node(step, found);
        while (at % 2 === 0 && at) { at = Math.floor(at / 2); last = Math.floor(last / 2); }
      } else {
        found = await node(found, step);
      }
      at = Math.floor(at / 2);
      last = Math.floor(last / 2);
    }
    return last === 0 && bytes.equal(found, root);
  }
  function counts(entry, index) {
    return entry.from_index <= index && (entry.to_index === null || index < entry.to_index);
  }

  // A checkpoint that a key with the role log or root signed, valid at the log's last entry.
  async function readSigned(text, keys, where) {
    var note = readNote(text, where);
    note.signers = await checkSigned(note, keys.filter(function (one) {
      return counts(one, Math.max(note.size - 1, 0)) && one.key.application === null &&
        (one.roles.indexOf("log") >= 0 || one.roles.indexOf("root") >= 0);
    }), where);
    return note;
  }
  function leafOf(entry) {
    var data = bytes.ofText(levelfield.json.canonical(entry));
    return bytes.digest("SHA-256", bytes.join([Uint8Array.of(0), data]));
  }
  // The receipt's checkpoint, if the log of this name holds its entry.
  async function checkReceipt(receipt, keys, origin, where) {
    var note = await readSigned(receipt.checkpoint, keys, where);
    if (note.origin !== origin) {
      throw new Error(where + ": a checkpoint of " + note.origin + ", not of " + origin);
    }
    var proof = receipt.proof.map(bytes.ofHex);
    if (!await included(await leafOf(receipt.entry), receipt.index, note.size, proof, note.root)) {
      throw new Error(where + ": the log has no such entry at " + receipt.index);
    }
    return note;
  }
  async function rootOf(level) {
    if (!level.length) { return bytes.digest("SHA-256", new Uint8Array(0)); }
    while (level.length > 1) {
      var pairs = [];
      for (var at = 0; at + 1 < level.length; at += 2) { pairs.push(node(level[at], level[at + 1])); }
      // An odd node rises unchanged: the left of two parts is always the largest complete tree.
      level = (await Promise.all(pairs)).concat(level.length % 2 ? [level[level.length - 1]] : []);
    }
    return level[0];
  }
  // The checkpoint, if these are all the entries of its log, in their order.
  async function checkWhole(entries, checkpoint, keys, where) {
    var note = await readSigned(checkpoint, keys, where);
    if (note.size !== entries.length) {
      throw new Error(where + ": " + entries.length + " entries, and its checkpoint is of " + note.size);
    }
    if (!bytes.equal(await rootOf(await Promise.all(entries.map(leafOf))), note.root)) {
      throw new Error(where + ": its entries are not those that its checkpoint was signed for");
    }
    return note;
  }

  levelfield.log = {
    checkReceipt: checkReceipt, counts: counts, included: included, checkWhole: checkWhole,
    readNote: readNote, witnessed: witnessed
  };
})();
