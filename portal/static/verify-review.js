// A round's whole log, proved by its checkpoint and opened entry by entry, as in
// submissions/review/reading.py.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes, json = levelfield.json, records = levelfield.records;
  var MAX_ENVELOPE = 1048576, AT_ONCE = 500, WHERE = "the round’s log";

  function elsewhere() { return { kind: "elsewhere" }; }
  function missing(reason) { return { kind: "missing", reason: reason }; }

  // The content of an entry whose envelope is `data`, with the keys that counted at its place.
  async function opened(entry, index, data, round) {
    var where = "events/" + entry.envelope + ".dsse.json";
    if (entry.kind === "commit") { return { content: elsewhere(), keys: [] }; }
    if (!data || data.length > MAX_ENVELOPE || await bytes.sha256(data) !== entry.envelope) {
      return { content: missing(where + ": not here as it was logged"), keys: [] };
    }
    if (entry.kind === "keyring") { return { content: elsewhere(), keys: [] }; }
    try {
      var keys = round.keys.filter(function (key) { return levelfield.log.counts(key, index); });
      var voucher = await levelfield.statements.unseal(data, where, keys);
      var content = contentOf(voucher.payload, where, entry, round);
      if (content.kind === "event" && content.event.at.length) {
        await checkCited(content, index, where, round);
      }
      return { content: content, keys: voucher.signedBy };
    } catch (error) {
      return { content: { kind: "refused", reason: error.message }, keys: [] };
    }
  }
  // What an event cites of the bundle that is being verified is looked up. Where its file is not here
  // the site's word is taken, and told: an entry that it doubts counts for nothing.
  async function checkCited(content, index, where, round) {
    var own = content.digest === round.bundle.digest;
    for (var citation of own ? content.event.at : []) {
      var reason = await round.mismatch(citation);
      if (reason) { throw new Error(where + ": " + reason + "; cite it again with --at"); }
      own = own && reason !== null;
    }
    if (own) { return; }
    var doubt = round.doubted[index];
    round.unseen.push({ bundle: content.bundle, doubted: doubt !== undefined });
    if (doubt !== undefined) { throw new Error(doubt); }
  }
  function contentOf(payload, where, entry, round) {
    var fields = json.parse(payload, where);
    if (fields === null || typeof fields !== "object" || Array.isArray(fields)) {
      throw new Error(where + ": its payload is no statement; sign again");
    }
    var kind = fields.predicateType;
    // A pointer that says something else than its envelope could hide an objection.
    if (kind !== entry.predicate_type) {
      return missing(where + " is another kind of statement than the log says");
    }
    if (kind !== records.REVIEW_EVENT && !(kind in records.predicates)) { return elsewhere(); }
    if (fields._type !== records.STATEMENT) {
      throw new Error(where + ": its _type is not " + records.STATEMENT);
    }
    var statement = json.read(payload, where, records.statement(kind), true);
    var subject = statement.subject[0], said = statement.predicate;
    if (subject.name !== bytes.idOf(subject.digest.sha256)) {
      throw new Error(where + ": its subject's name is not of its digest");
    }
    if (subject.name !== entry.subject) {
      return missing(where + " is about " + subject.name + ", and the log says " + entry.subject);
    }
    return judged(kind, said, subject, where, round);
  }
  function judged(kind, said, subject, where, round) {
    if (kind === records.VERDICT) {
      var rules = "levelfield/round/" + round.name;
      if (!said.configuration.some(function (one) { return one.name === rules; })) {
        throw new Error(where + ": not by the rules of round " + round.name);
      }
      var passed = said.result !== "FAILED" && !said.failedTests.length;
      return { kind: "checked", failed: passed ? []
        : said.failedTests.length ? said.failedTests : [said.result] };
    }
    if (kind === records.REVIEW_EVENT) {
      if (said.target.indexOf("results/") !== 0 && said.target !== subject.name) {
        throw new Error(where + ": its target is another bundle than its subject");
      }
      return { kind: "event", event: said, bundle: subject.name, digest: subject.digest.sha256 };
    }
    if (said.round !== round.name) {
      throw new Error(where + ": of round " + said.round + ", this one is " + round.name);
    }
    if (kind === records.COUNTERSIGNATURE) {
      return { kind: "countersigned", statement: said.statement };
    }
    return { kind: "submitted", submitter: said.submitter, nonce: said.nonce,
      results: said.results.map(function (claim) {
        return "results/" + claim.workload + "/" + claim.scenario;
      }) };
  }

  function logged(entry, index, found) {
    return {
      index: index, envelope: entry.envelope, bundle: entry.subject, content: found.content,
      by: distinct(found.keys.map(function (key) { return key.organisation; })).join(" and "),
      roles: distinct(found.keys.flatMap(function (key) { return key.roles; }))
    };
  }
  function distinct(names) { return Array.from(new Set(names)).sort(); }

  // A round's log `held` as verify-round.js has it, once its checkpoint has proved that these are
  // all its entries, in this order; each opened with `keys`. `bundle` is the one that is verified:
  // its `digest`, its `files` by path, and
  // their `source`.
  async function open(held, keys, bundle) {
    var note = await levelfield.log.checkWhole(held.entries, held.checkpoint, keys, WHERE);
    var reader = levelfield.cite.reader(bundle.source), contents = [];
    var round = {
      name: held.round, keys: keys, bundle: bundle, doubted: held.doubted, unseen: [],
      mismatch: function (citation) { return levelfield.cite.mismatch(citation, bundle.files, reader); }
    };
    for (var at = 0; at < held.entries.length; at += AT_ONCE) {
      contents = contents.concat(await Promise.all(held.entries.slice(at, at + AT_ONCE).map(
        function (entry, number) {
          return opened(entry, at + number, held.envelopes[at + number], round);
        })));
    }
    await checkKeyring(held, contents);
    // The replay would only say that nothing can be told: what is missing might be an objection.
    contents.forEach(function (one, index) {
      if (one.content.kind === "missing") {
        throw new Error(WHERE + ": entry " + index + " is missing: " + one.content.reason);
      }
    });
    return { note: note, unseen: round.unseen, logged: held.entries.map(function (entry, index) {
      return logged(entry, index, contents[index]);
    }) };
  }
  // Another keyring could make a reviewer's objection a stranger's.
  async function checkKeyring(held, contents) {
    var last = held.entries.map(function (entry) { return entry.kind; }).lastIndexOf("keyring");
    if (last < 0) { return; }
    var digest = held.signatures && await bytes.sha256(held.signatures);
    if (digest !== held.entries[last].envelope) {
      contents[last] = { content: missing("the keyring is not the one that the log names last"), keys: [] };
    }
  }

  levelfield.review = { open: open, opened: opened, logged: logged };
})();
