// What is said of a bundle by the signed statements beside it, and whether who says it may.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes, json = levelfield.json, records = levelfield.records;
  var ENVELOPE = /\.dsse\.json$/, SSH = /\.sshsig$/, MAX_SIGNATURES = 16;

  // What is signed: type and payload, each with its length (DSSE v1).
  function preAuthenticationEncoding(payload) {
    var kind = records.PAYLOAD_TYPE;
    return bytes.join([
      bytes.ofText("DSSEv1 " + kind.length + " " + kind + " " + payload.length + " "), payload
    ]);
  }

  async function unseal(data, where, trusted) {
    var envelope = json.read(data, where, records.envelope), entries = new Set();
    if (envelope.payloadType !== records.PAYLOAD_TYPE) {
      throw new Error(where + ": its payload type is not " + records.PAYLOAD_TYPE);
    }
    var count = envelope.signatures.length;
    if (count < 1 || count > MAX_SIGNATURES) {
      throw new Error(where + ": " + count + " signatures, expected 1 to " + MAX_SIGNATURES);
    }
    var payload = bytes.ofBase64(envelope.payload, where + ": its payload");
    var message = preAuthenticationEncoding(payload);
    for (var signature of envelope.signatures) {
      entries.add(await signer(signature, message, where, trusted));
    }
    return { payload: payload, signedBy: inOrder(trusted, entries) };
  }
  async function signer(signature, message, where, trusted) {
    var raw = bytes.ofBase64(signature.sig, where + ": its signature");
    function isHinted(entry) { return entry.key_id === signature.keyid; }
    var hinted = trusted.filter(isHinted);
    var others = trusted.filter(function (entry) { return !isHinted(entry); });
    for (var entry of hinted.concat(others)) {
      if (entry.key.application === null && await bytes.signed(entry.key.raw, raw, message)) {
        return entry;
      }
    }
    throw new Error(where + (hinted.length
      ? ": bad signature: the key of " + hinted[0].organisation + " did not sign this"
      : ": signed by an unknown key (" + (signature.keyid || "").slice(0, 16) + ")"));
  }
  function inOrder(trusted, entries) {
    return trusted.filter(function (entry) { return entries.has(entry); });
  }
  async function bySsh(path, payload, files, trusted) {
    var names = Array.from(files.keys()).filter(function (name) {
      return SSH.test(name) && statementOf(name) === path;
    }).sort(), entries = new Set();
    if (!names.length) { throw new Error(path + ": nobody signed it"); }
    for (var name of names) {
      entries.add(await levelfield.keys.verifySsh(files.get(name), payload, name, trusted));
    }
    return inOrder(trusted, entries);
  }
  function statementOf(signature) {
    return signature.replace(/\.[0-9a-f]{16}\.sshsig$/, ".statement.json");
  }

  // Step 3: every statement as its bytes, which somebody known signed.
  async function readVouchers(files, trusted) {
    var found = [];
    for (var path of Array.from(files.keys()).sort()) {
      var data = files.get(path);
      if (SSH.test(path)) {
        if (!files.has(statementOf(path))) {
          throw new Error(path + ": the statement that it signs is not there");
        }
        continue;
      }
      var enveloped = ENVELOPE.test(path);
      var opened = enveloped ? await unseal(data, path, trusted)
        : { payload: data, signedBy: await bySsh(path, data, files, trusted) };
      found.push({ path: path, sha256: await bytes.sha256(data), enveloped: enveloped,
        payload: opened.payload, signedBy: opened.signedBy });
    }
    return found;
  }

  // Step 4: the payload that was verified, the same bytes, is parsed.
  function parse(voucher) { voucher.fields = json.parse(voucher.payload, voucher.path); }

  // Step 5: type, predicate type and fields are ours, in canonical form.
  function checkType(voucher) {
    var fields = voucher.fields, kind = fields && fields.predicateType;
    if (typeof kind !== "string" || !(kind in records.predicates)) {
      throw new Error(voucher.path + ": its predicateType is none of a bundle's");
    }
    if (fields._type !== records.STATEMENT) {
      throw new Error(voucher.path + ": its _type is not " + records.STATEMENT);
    }
    var statement = json.read(voucher.payload, voucher.path, records.statement(kind), true);
    voucher.kind = kind;
    voucher.subject = statement.subject[0];
    voucher.predicate = statement.predicate;
  }

  // Step 6: it is about this bundle, and its keys may say it. `claims` are null where the records
  // cannot be read here; what they claim is then not compared.
  function checkAbout(voucher, bundle, claims) {
    var said = voucher.predicate, where = voucher.path, manifest = bundle.manifest;
    if (voucher.subject.name !== bundle.id || voucher.subject.digest.sha256 !== bundle.digest) {
      throw new Error(where + ": its subject is " + voucher.subject.name + ", this bundle is " +
        bundle.id);
    }
    if (voucher.kind === records.VERDICT) {
      var round = "levelfield/round/" + manifest.round;
      if (!said.configuration.some(function (one) { return one.name === round; })) {
        throw new Error(where + ": a verdict by the rules of another round");
      }
      return;
    }
    ["round", "nonce", "submitter"].forEach(function (name) {
      if (said[name] !== manifest[name]) { throw new Error(where + ": its " + name + " is not the bundle's"); }
    });
    if (voucher.kind === records.RESULT) { checkClaims(voucher, bundle, claims); }
  }
  function checkClaims(voucher, bundle, claims) {
    var said = voucher.predicate, submitter = bundle.manifest.submitter;
    if (said.system !== bundle.system) { throw new Error(voucher.path + ": its system is not the bundle's"); }
    if (claims && json.canonical(said.results) !== json.canonical(claims)) {
      throw new Error(voucher.path + ": its results is not the bundle's");
    }
    voucher.signedBy.forEach(function (entry) {
      if (entry.organisation !== submitter) {
        throw new Error(voucher.path + ": signed with the key of " + entry.organisation +
          ", but the submitter is " + submitter);
      }
      checkRole(entry, "submit", voucher.path);
    });
  }
  function checkCountersignature(voucher, bundle, claimed) {
    if (!claimed.some(function (one) { return one.sha256 === voucher.predicate.statement; })) {
      throw new Error(voucher.path + ": countersigns a statement of the submitter that is not here");
    }
    voucher.signedBy.forEach(function (entry) {
      if (entry.organisation === bundle.manifest.submitter) {
        throw new Error(voucher.path + ": a self-review: " + entry.organisation +
          " submitted this bundle and cannot countersign it");
      }
      checkRole(entry, "review", voucher.path);
    });
  }
  function checkRole(entry, role, where) {
    if (entry.roles.indexOf(role) < 0) {
      throw new Error(where + ": the keyring gives the key of " + entry.organisation +
        " the roles " + entry.roles.join(", ") + ", not " + role);
    }
  }

  // Steps 4 to 6 end in what was said, by kind; who has countersigned, and whether a check passed.
  function gather(vouchers, bundle) {
    function of(kind) { return vouchers.filter(function (one) { return one.kind === kind; }); }
    var claims = of(records.RESULT), countersigned = of(records.COUNTERSIGNATURE);
    countersigned.forEach(function (one) { checkCountersignature(one, bundle, claims); });
    if (!claims.length) {
      throw new Error("the bundle: unsigned: it holds no attestation of its submitter");
    }
    var verdicts = of(records.VERDICT), passed = verdicts.some(function (one) {
      var said = one.predicate, submitter = bundle.manifest.submitter;
      return said.result !== "FAILED" && !said.failedTests.length &&
        one.signedBy.some(function (entry) {
          return entry.organisation !== submitter && entry.roles.indexOf("review") >= 0;
        });
    });
    return { claims: claims, verdicts: verdicts, countersigned: countersigned,
      level: countersigned.length && passed ? "L2" : "L1" };
  }

  levelfield.statements = {
    unseal: unseal, readVouchers: readVouchers, parse: parse, checkType: checkType,
    checkAbout: checkAbout, gather: gather
  };
})();
