// The verifier of a bundle, step by step in the order of submissions/attestation.py. No page is
// touched here: what each step comes to is told to whoever asked.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var layout = levelfield.layout, bytes = levelfield.bytes, content = levelfield.content;
  var statements = levelfield.statements;
  var MANIFEST = "manifest.json", MAX_RECORD = 1048576;
  var TITLES = ["Size limits", "The folder or zip", "The manifest", "Signatures", "The signed bytes",
    "What is stated", "What it is about", "Every file", "The rules", "The round’s log",
    "Keys at that time", "Review"];
  // In which order they run; they are numbered as the command line numbers them.
  var ORDER = [0, 1, 2, 7, 3, 4, 5, 6, 8, 9, 10, 11];
  var NEEDED = [0, 1, 2, 3, 4, 5, 6, 7];

  function skip(text) { return { skipped: text }; }
  function keysOf(vouchers) {
    var found = new Map();
    vouchers.forEach(function (one) {
      one.signedBy.forEach(function (entry) { found.set(entry.key_id, entry); });
    });
    return Array.from(found.values()).map(function (entry) {
      return entry.organisation + " (key " + entry.key_id.slice(0, 16) + ")";
    }).join(", ");
  }
  function files(count) { return count + (count === 1 ? " file" : " files"); }

  var WORK = {
    0: async function (run) {
      var reason = await bytes.lacking();
      if (reason) { throw new Error("Not possible here: " + reason); }
      run.source.checkSize();
      return "At most 4,000 files, 64 MiB a file and 1 GiB in all.";
    },
    1: async function (run) {
      if (run.source.loose) {
        return skip("The site holds single files: there is no folder or zip to scan. " +
          "The picker on the verify page scans one.");
      }
      await run.source.scan();
      return files(Object.keys(run.source.sizes).length) + " with plain names. " +
        "Links and special files cannot be told apart in a browser; the command line refuses them.";
    },
    2: async function (run) {
      var found = new Set(Object.keys(run.source.sizes));
      if (!found.has(MANIFEST)) { throw new Error("the bundle: no manifest.json; not a bundle"); }
      var data = await readSmall(run, MANIFEST);
      run.digest = await bytes.sha256(data);
      run.manifest = content.checkManifest(data);
      run.id = bytes.idOf(run.digest);
      content.checkPresence(run.manifest, found);
      for (var path of Array.from(found).filter(layout.attestation).sort()) {
        await readAttestation(run, path);
      }
      var system = run.manifest.files.find(function (file) { return file.path === "system.json"; });
      run.system = system && system.sha256;
      return "In canonical form; it lists " + files(run.manifest.files.length) +
        ", no other is there. Its SHA-256 is " + run.digest + ", so the bundle is " + run.id + ".";
    },
    7: async function (run) {
      var records = new Map(), left = [], done = 0;
      for (var file of run.manifest.files) {
        run.tell(7, "running", "File " + (done + 1) + " of " + run.manifest.files.length);
        var data = await run.source.read(file.path, file.size);
        if (data) {
          records.set(file.path, await content.checkFile(file, data));
          done += 1;
        } else { left.push(file.path); }
      }
      var claimed = run.manifest.files.filter(function (file) {
        return /^results\/.*\/(result|run)\.json$/.test(file.path);
      }).every(function (file) { return records.has(file.path); });
      run.claims = claimed ? content.claimsOf(content.readEntries(run.manifest, records)) : null;
      if (left.length) {
        return skip(files(done) + " of " + run.manifest.files.length + " checked, and as the " +
          "manifest lists them. " + run.source.whyNot);
      }
      return "All " + files(done) + " have the size and the SHA-256 that the manifest gives, and " +
        "the records among them are strict JSON.";
    },
    3: async function (run) {
      if (!run.attestations.size) {
        throw new Error("the bundle: unsigned: it holds no attestation");
      }
      if (await bytes.lacksEd25519()) {
        run.blind = true;
        return skip("This browser does not know Ed25519 signatures. A newer one does, and so does " +
          "the command line: levelfield verify BUNDLE");
      }
      run.vouchers = await statements.readVouchers(run.attestations, run.trust.keys);
      return "Signed by " + keysOf(run.vouchers) + ".";
    },
    4: signed(function (run) {
      run.vouchers.forEach(statements.parse);
      return "Parsed from the very bytes that are signed.";
    }),
    5: signed(function (run) {
      run.vouchers.forEach(statements.checkType);
      return "In-toto statements in canonical form, of the kinds that belong to a bundle.";
    }),
    6: signed(function (run) {
      run.vouchers.forEach(function (one) { statements.checkAbout(one, run, run.claims); });
      run.said = statements.gather(run.vouchers, run);
      if (!run.claims) { return skip("About this bundle; what its records claim is not all here."); }
      return "About bundle " + run.id + ", its round, nonce, system and results; the key belongs to " +
        "the submitter, " + run.manifest.submitter + "." + (run.said.countersigned.length
          ? " Countersigned by " + keysOf(run.said.countersigned) + "." : "");
    }),
    8: signed(function (run) {
      var told = run.said.verdicts.map(function (one) {
        return one.predicate.result + ", says " + one.signedBy[0].organisation;
      });
      return skip("Rules are not run in a browser; levelfield check BUNDLE does that. " +
        (told.length ? "A signed check found: " + told.join("; ") + "." : ""));
    }),
    9: signed(async function (run) {
      if (!run.trust.log) { return skip("No round’s log was given: when it was signed is not known."); }
      run.places = new Map();
      if (run.trust.held) { await levelfield.standing.place(run); }
      for (var receipt of run.trust.log.receipts) {
        run.note = await levelfield.log.checkReceipt(receipt, run.trust.keys, run.trust.log.origin,
          "receipt of entry " + receipt.index);
        run.places.set(receipt.entry.envelope, receipt);
      }
      var inLog = run.vouchers.filter(function (one) { return needsPlace(run, one); });
      inLog.forEach(function (one) { checkPlace(run, one); });
      return "Each statement is proved to be in the log " + run.trust.log.origin + ", as entry " +
        inLog.map(function (one) { return run.places.get(one.sha256).index; }).join(", ") +
        " (the first is 0), under a signed checkpoint of " + run.note.size + ".";
    }),
    10: signed(function (run) {
      run.vouchers.forEach(function (one) {
        var receipt = run.places && run.places.get(one.sha256);
        one.signedBy.forEach(function (entry) { checkTime(entry, one.path, receipt); });
      });
      return run.places ? "Each key counted at its place in the log."
        : "Each key is active now, as the keyring has it.";
    }),
    11: signed(async function (run) {
      if (run.trust.replay || run.whole) { return levelfield.standing.review(run); }
      return skip((run.trust.standing ? "When this site was made, the log’s replay said: " +
        run.trust.standing + " " + run.trust.why : "No round’s log is here to replay; the zip of one can " +
        "be given beside keys, on the verify page and in verify.html.") +
        " The command line replays one: levelfield review status");
    })
  };
  function signed(work) {
    return async function (run) {
      return run.blind ? skip("Needs the signatures, which this browser cannot check.") : work(run);
    };
  }
  async function readSmall(run, path) {
    if (run.source.sizes[path] > MAX_RECORD) {
      throw new Error(path + ": larger than " + MAX_RECORD + " bytes, as no such record is");
    }
    return run.source.read(path, run.source.sizes[path]);
  }
  async function readAttestation(run, path) {
    var data = await readSmall(run, path), short = (await bytes.sha256(data)).slice(0, 16);
    if (layout.attestation(path).slice(1).indexOf(short) < 0) {
      throw new Error(path + ": its SHA-256 differs from its name");
    }
    run.attestations.set(path, data);
  }
  // A statement that is in the log in an envelope may stand beside it once more, signed by SSH.
  function needsPlace(run, voucher) {
    return voucher.enveloped || !run.vouchers.some(function (other) {
      return run.places.has(other.sha256) && bytes.equal(other.payload, voucher.payload);
    });
  }
  function checkPlace(run, voucher) {
    var receipt = run.places.get(voucher.sha256);
    if (!receipt) { throw new Error(voucher.path + ": not in the round's log"); }
    if (receipt.entry.subject !== null && receipt.entry.subject !== run.id) {
      throw new Error(voucher.path + ": logged at " + receipt.index + " for another bundle");
    }
  }
  function checkTime(entry, where, receipt) {
    if (receipt && !levelfield.log.counts(entry, receipt.index)) {
      throw new Error(where + ": entry " + receipt.index + " of the log, but the key of " +
        entry.organisation + " did not count there");
    }
    if (!receipt && entry.status !== "active") {
      throw new Error(where + ": the key of " + entry.organisation + " was " + entry.status);
    }
  }

  // What all steps come to. Anything failed, or not run, is never a success.
  function sum(run) {
    var states = run.states, failed = ORDER.find(function (n) { return states[n] === "failed"; });
    if (failed !== undefined) {
      return { verdict: "refused", level: "L0", step: failed, reason: run.texts[failed],
        text: "Refused at step " + failed + ": " + run.texts[failed] };
    }
    var open = NEEDED.filter(function (n) {
      return states[n] !== "done" && !(n === 1 && run.source.loose);
    });
    if (open.length) {
      return { verdict: "partial", level: "L0", text: "Nothing is wrong as far as could be checked " +
        "here. Not checked: " + open.map(function (n) {
          return TITLES[n].toLowerCase() + " (step " + n + ")";
        }).join(", ") + "." };
    }
    return { verdict: "verified", level: run.said.level, text: "Verified: signed by " +
      keysOf(run.said.claims) + (run.said.countersigned.length ? ", countersigned by " +
      keysOf(run.said.countersigned) : "") + "; every file is the one that was signed." };
  }

  // `source` has `sizes`, `checkSize`, `scan` and `read`; `trust` is as verify-trust.js has it; `tell` is called with a step's number, state and text as they change.
  async function verify(source, trust, tell) {
    var run = { source: source, trust: trust, attestations: new Map(), states: {}, texts: {} };
    run.tell = function (number, state, text) {
      run.states[number] = state;
      run.texts[number] = text;
      tell(number, state, text);
    };
    for (var number of ORDER) {
      try {
        run.tell(number, "running", "");
        var found = await WORK[number](run);
        run.tell(number, found.skipped ? "skipped" : "done", found.skipped || found);
      } catch (error) {
        run.tell(number, "failed", error.message);
        break;
      }
    }
    ORDER.forEach(function (one) {
      if (!run.states[one]) { run.tell(one, "unreached", ""); }
    });
    return Object.assign(sum(run), { id: run.id, states: run.states });
  }

  levelfield.TITLES = TITLES;
  levelfield.verify = verify;
})();
