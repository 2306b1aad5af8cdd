// Who vouches for a round's keyring, as in submissions/keyring_release.py: its root keys.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes, json = levelfield.json, records = levelfield.records;
  var WHERE = "the round’s keyring";

  function isRoot(entry) { return entry.roles.indexOf("root") >= 0; }
  function termsOf(data, keys) {
    var terms = json.read(data, WHERE, records.keyring).threshold || null;
    if (!terms) { return null; }
    terms.roots.forEach(function (id) {
      var entry = keys.find(function (one) { return one.key_id === id; });
      if (!entry || entry.status !== "active" || !isRoot(entry)) {
        throw new Error(WHERE + ": root key " + id.slice(0, 16) +
          " is not an active key with the role root");
      }
    });
    if (new Set(terms.roots).size !== terms.roots.length || terms.threshold < 1 ||
        terms.threshold > terms.roots.length) {
      throw new Error(WHERE + ": names a root key twice, or asks for more signatures than roots");
    }
    return terms;
  }
  async function signersOf(held, trusted) {
    var opened = await levelfield.statements.unseal(held.signatures, WHERE + "’s signatures", trusted);
    var said = json.read(opened.payload, WHERE + "’s signatures",
      records.statement(records.KEYRING, records.release), true);
    if (said.subject[0].digest.sha256 !== await bytes.sha256(held.keyring)) {
      throw new Error(WHERE + ": changed after its root keys signed it");
    }
    return new Set(opened.signedBy.map(function (entry) { return entry.key_id; }));
  }
  function checkEnough(signed, ids, needed, whose) {
    var count = ids.filter(function (id) { return signed.has(id); }).length;
    if (count < needed) {
      throw new Error(WHERE + ": " + whose + " root keys: " + count + " of " + ids.length +
        " signed it, " + needed + " are needed");
    }
    return count;
  }

  // What the root keys of the keyring say, in a sentence; refused if too few of them signed it, or
  // not more than half of `anchors`, root keys that the reader trusts beforehand.
  async function roots(held, keys, anchors) {
    var terms = termsOf(held.keyring, keys);
    if (!terms && !anchors.length) {
      return "The round’s keyring names no root keys: nobody has signed it.";
    }
    if (!terms || !held.signatures) { throw new Error(WHERE + ": no root keys have signed it"); }
    var known = new Map(anchors.concat(keys.filter(isRoot)).map(function (entry) {
      return [entry.key_id, entry];
    }));
    var signed = await signersOf(held, Array.from(known.values()));
    var count = checkEnough(signed, terms.roots, terms.threshold, "its");
    if (!anchors.length) {
      return "Its keyring is signed by " + count + " of its own " + terms.roots.length + " root keys.";
    }
    var ids = anchors.map(function (entry) { return entry.key_id; });
    return "Its keyring is signed by " + checkEnough(signed, ids, Math.floor(ids.length / 2) + 1,
      "your trusted") + " of the " + ids.length + " root keys that you trust.";
  }

  levelfield.vouched = { roots: roots, isRoot: isRoot };
})();
