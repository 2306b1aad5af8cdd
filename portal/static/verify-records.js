// Shapes of what is signed: the manifest, the envelope, the statements, keys and log entries.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var shape = levelfield.json.shape, record = shape.record, list = shape.list, text = shape.text;
  var PAYLOAD_TYPE = "application/vnd.in-toto+json";
  var STATEMENT = "https://in-toto.io/Statement/v1";
  var RESULT = "urn:levelfield:predicate/benchmark-result/v1";
  var VERDICT = "https://in-toto.io/attestation/test-result/v0.1";
  var COUNTERSIGNATURE = "urn:levelfield:predicate/countersignature/v1";

  var identifier = text(/^[a-z0-9][a-z0-9_.-]{0,63}$/), sha256 = text(/^[0-9a-f]{64}$/);
  var nonce = text(/^[0-9a-f]{32}$/), bundle = text(/^[a-z2-7]{20}$/);
  var digest = record({ sha256: sha256 });
  function is(value) { return shape.oneOf([value]); }

  var named = text(/^[^]{1,100}$/u);
  var origin = record({
    kind: is("mlperf-training"), source: text(), submitter: named, system: named,
    statement: is("imported, unverified by us")
  });
  var manifest = record({
    schema: is("levelfield/manifest/v1"), round: identifier, nonce: nonce, submitter: identifier,
    files: list(record({ path: text(), size: shape.count(), sha256: sha256, role: text() })),
    origin: origin
  }, ["origin"]);

  var envelope = record({
    payload: text(), payloadType: text(),
    signatures: list(record({ keyid: text(), sig: text() }, ["keyid"]))
  });

  var scenario = shape.oneOf(
    ["train", "single_stream", "multi_stream", "server", "interactive", "offline"]);
  var claim = record({
    workload: identifier, workload_sha256: list(sha256), scenario: scenario,
    division: shape.oneOf(["closed", "open"]),
    metric: shape.oneOf(["time_to_train", "latency", "samples_per_second", "queries_per_second",
      "tokens_per_second"]),
    value: shape.orNull(text())
  });
  var boolean = shape.oneOf([true, false]);
  var benchmark = record({
    round: identifier, nonce: text(), submitter: identifier,
    category: shape.orNull(shape.oneOf(["available", "preview", "research"])),
    rules: record({ code: sha256, round: sha256 }),
    harness: record({
      version: text(), commit: shape.orNull(text()), clean: shape.orNull(boolean)
    }),
    system: sha256, results: list(claim), supersedes: shape.orNull(sha256)
  });
  var rules = list(text(/^[A-Z][A-Z0-9]{0,15}-[0-9]{1,3}$/), 0, 1000);
  var verdict = record({
    result: shape.oneOf(["PASSED", "WARNED", "FAILED"]),
    configuration: list(record({ name: text(/^[a-z0-9/._-]{1,200}$/), digest: digest }), 0, 16),
    url: text(/^https:\/\/[!-~]{1,500}$/), passedTests: rules, warnedTests: rules, failedTests: rules
  }, ["url"]);
  var small = shape.count(2147483648);
  var countersignature = record({
    round: identifier, nonce: nonce, submitter: identifier, statement: sha256,
    verdict: is("reviewed"),
    findings: record({ passed: small, errors: is(0), warnings: small })
  });
  var predicates = Object.create(null); // so that no name that objects have is a kind
  predicates[RESULT] = benchmark;
  predicates[VERDICT] = verdict;
  predicates[COUNTERSIGNATURE] = countersignature;
  function statement(kind, predicate) {
    return record({
      _type: is(STATEMENT), subject: list(record({ name: bundle, digest: digest }), 1, 1),
      predicateType: is(kind), predicate: predicate || predicates[kind] || levelfield.records.event
    });
  }

  var index = shape.count();
  var key = record({
    organisation: identifier, key_id: sha256, public_key: text(),
    roles: list(shape.oneOf(["submit", "review", "replicate", "witness", "log", "root"]), 1),
    from_index: index, to_index: shape.orNull(index),
    status: shape.oneOf(["active", "rotated", "revoked"]), reason: text(null, 500),
    replaces: shape.orNull(sha256), proof: shape.orNull(text(null, 2000))
  }, ["from_index", "to_index", "status", "reason", "replaces", "proof"]);
  var threshold = record({ roots: list(sha256, 1), threshold: index });
  var release = record({ keys: index, threshold: threshold });
  var keyring = record({
    schema: is("levelfield/keyring/v1"), keys: list(key),
    threshold: shape.orNull(threshold)
  }, ["schema", "keys", "threshold"]);
  var entry = record({
    schema: is("levelfield/log-entry/v1"), envelope: sha256, subject: shape.orNull(bundle),
    predicate_type: text(/^[!-~]{1,200}$/), actor: identifier,
    kind: shape.oneOf(["statement", "commit", "reveal", "keyring"])
  });
  var receipt = record({
    schema: is("levelfield/receipt/v1"), index: index, entry: entry, proof: list(sha256, 0, 64),
    checkpoint: text()
  }, ["schema"]);
  var roundLog = record({
    round: identifier, checkpoint: text(), keyring: text(), signatures: shape.orNull(text()),
    doubted: shape.map(text()), entries: list(record({ entry: entry, envelope: shape.orNull(text()) }))
  });
  var round = record({
    schema: is("levelfield/round-folder/v1"), round: identifier, nonce: nonce,
    origin: text(/^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9._-]*)*$/, 128)
  });

  levelfield.records = {
    PAYLOAD_TYPE: PAYLOAD_TYPE, STATEMENT: STATEMENT, RESULT: RESULT, VERDICT: VERDICT,
    COUNTERSIGNATURE: COUNTERSIGNATURE, predicates: predicates, manifest: manifest,
    envelope: envelope, statement: statement, keyring: keyring, receipt: receipt,
    roundLog: roundLog, round: round, entry: entry, release: release,
    KEYRING: "urn:levelfield:predicate/keyring/v1"
  };
})();
