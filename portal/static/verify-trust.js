// Whose keys count: the reader's own keyring and receipts, else what this site holds of a bundle.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes, json = levelfield.json, MAX_MANIFEST = 1048576, MAX_FILE = 4194304;

  // A script of the site's that lays one bundle's proof into `levelfield.proofs`: it works from
  // file:// too, where no file can be fetched.
  function load(address) {
    return new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.src = address;
      script.addEventListener("load", resolve);
      script.addEventListener("error", function () { reject(new Error(address + ": cannot be read")); });
      document.head.append(script);
    });
  }
  // `base` leads from the page to the folder in which the proofs' folder lies.
  async function fromProof(proof, base) {
    var log = proof.log && {
      origin: proof.log.origin, receipts: proof.log.receipts.map(function (text, at) {
        return json.read(bytes.ofText(text), "receipt " + at, levelfield.records.receipt);
      })
    };
    return {
      keys: await levelfield.keys.readKeyring(bytes.ofText(proof.keyring), "the site’s keyring"),
      log: log, standing: proof.standing, status: proof.status || null, why: proof.unreplayed || "",
      replay: proof.replay ? { round: proof.replay, address: base + "logs/" + proof.replay + ".js" } : null
    };
  }
  // From the files that a reader gave beside the bundle: keyrings, and any number of receipts or the
  // zip of a round's log. Keys of the reader's own count alone; without any, those of `known` do.
  async function fromFiles(files, known) {
    var keys = null, log = null, held = null;
    for (var file of files) {
      if (/\.zip$/i.test(file.name)) {
        held = await levelfield.round.fromZip(file, file.name);
        continue;
      }
      if (file.size > MAX_FILE) { throw new Error(file.name + ": too large for a keyring or a receipt"); }
      var data = new Uint8Array(await file.arrayBuffer()), found = json.parse(data, file.name);
      if (found && found.schema === "levelfield/receipt/v1") {
        var receipt = json.read(data, file.name, levelfield.records.receipt);
        log = log || { origin: receipt.checkpoint.split("\n")[0], receipts: [] };
        log.receipts.push(receipt);
      } else {
        keys = (keys || []).concat(await levelfield.keys.readKeyring(data, file.name));
      }
    }
    return held ? ofRound(held, keys || [])
      : { keys: keys || known.keys, log: log, standing: null, status: null, why: "", replay: null };
  }
  // Root keys of the reader's own must have signed the round's keyring; others replace it.
  async function ofRound(held, keys) {
    var anchors = keys.filter(levelfield.vouched.isRoot), own = keys.length > 0 && !anchors.length;
    return {
      keys: own ? keys : await levelfield.keys.readKeyring(held.keyring, "the round’s keyring"),
      own: own, anchors: anchors, held: held, log: { origin: held.origin, receipts: [] },
      standing: null, status: null, why: "", replay: null
    };
  }
  // The bundle's id, from its manifest; empty if there is none.
  async function idOf(source) {
    var size = source.sizes["manifest.json"];
    if (!(size <= MAX_MANIFEST)) { return ""; }
    var data = await source.read("manifest.json", size);
    return bytes.idOf(await bytes.sha256(data));
  }

  levelfield.proofs = levelfield.proofs || {};
  levelfield.trust = { load: load, fromProof: fromProof, fromFiles: fromFiles, idOf: idOf };
})();
