// Step 11: what a round's log comes to for one bundle, and whether the site tells that.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes, json = levelfield.json, WHERE = "the round’s log";

  function bundleOf(run) {
    return { digest: run.digest, source: run.source, files: new Map(run.manifest.files.map(function (file) {
      return [file.path, file];
    })) };
  }
  // Steps 9 to 11 with the zip of a round: the reader's own keys count alone, unless they are root
  // keys, which must have signed the round's keyring then.
  async function place(run) {
    var held = run.trust.held;
    run.vouched = run.trust.own ? "The keys of your keyring counted, and not those of the round’s."
      : await levelfield.vouched.roots(held, run.trust.keys, run.trust.anchors);
    run.whole = await levelfield.review.open(held, run.trust.keys, bundleOf(run));
    run.note = run.whole.note;
    if (run.note.origin !== held.origin) {
      throw new Error(WHERE + ": a checkpoint of " + run.note.origin + ", not of " + held.origin);
    }
    run.places = new Map();
    held.entries.forEach(function (entry, index) {
      if (!run.places.has(entry.envelope)) {
        run.places.set(entry.envelope, { index: index, entry: entry });
      }
    });
  }
  // The log that the site has, which must be that of the receipts, by the keys of the proof.
  async function load(run) {
    var trust = run.trust, replay = trust.replay;
    await levelfield.trust.load(replay.address);
    var held = levelfield.round.fromScript(levelfield.logs[replay.round], WHERE);
    var keys = await levelfield.keys.readKeyring(held.keyring, "the round’s keyring");
    if (json.canonical(keys.map(lifeOf)) !== json.canonical(trust.keys.map(lifeOf))) {
      throw new Error("the round’s keyring: not the keys with which this bundle was verified");
    }
    run.vouched = await levelfield.vouched.roots(held, keys, []);
    run.whole = await levelfield.review.open(held, keys, bundleOf(run));
    var found = run.whole.note, note = run.note || found;
    if (note.origin !== found.origin || note.size !== found.size || !bytes.equal(note.root, found.root)) {
      throw new Error(WHERE + ": another one than the bundle’s receipts are of");
    }
  }
  function lifeOf(entry) {
    return [entry.organisation, entry.key_id, entry.roles, entry.from_index, entry.to_index, entry.status];
  }

  // What the log comes to for one bundle, in sentences; refused where the site says otherwise.
  async function review(run) {
    if (!run.whole) { await load(run); }
    var replayed = levelfield.replay.replayed(run.whole.logged), status = replayed.status(run.id);
    if (!status) { throw new Error(WHERE + ": bundle " + run.id + " was never handed in"); }
    status.open_objections = status.objections.filter(function (one) { return !one.closed; }).length;
    check(status, run.trust);
    var witnesses = await levelfield.log.witnessed(run.whole.note, run.trust.keys, WHERE);
    return ["Replayed here, all " + run.whole.note.size + " entries of the log, as its signed " +
      "checkpoint has them: " + told(status) + " Level " + status.level + "."].concat(
      toldOf("Reviewed by", status.reviewed_by), toldOf("Countersigned by", status.countersigned_by),
      toldOf("Open objections:", status.open_objections || []),
      toldOf("Waived:", status.waivers.map(function (one) { return one.rule; })),
      toldOf("Entries that count for nothing:", status.ignored.length || []),
      run.vouched, seen(witnesses), unseen(run, replayed.lineage(run.id))
    ).filter(Boolean).join(" ");
  }
  function told(status) { return status.state + ": " + status.why + "."; }
  function toldOf(words, found) {
    var list = [].concat(found);
    return list.length ? words + " " + list.join(", ") + "." : "";
  }
  function seen(witnesses) {
    var names = Array.from(witnesses.keys()).sort().map(function (name) {
      var time = new Date(witnesses.get(name) * 1000);
      return name + " (" + (isNaN(time) ? witnesses.get(name) + " s after 1970"
        : time.toISOString().slice(0, 16).replace("T", " ") + " UTC") + ")";
    });
    return names.length ? "Witnessed by " + names.join(", ") + "." : "No witness has cosigned it.";
  }
  // Of the bundle and those that it amends, what only their files could tell.
  function unseen(run, lineage) {
    var found = run.whole.unseen.filter(function (one) { return lineage.indexOf(one.bundle) >= 0; });
    var doubted = found.filter(function (one) { return one.doubted; }).length;
    return found.length ? "Entries whose cited lines could not be looked up, as the files are not " +
      "here: " + found.length + (doubted ? ", of which this site says of " + doubted +
        " that they cite wrongly, so that they count for nothing" : "") +
      ". With all bundles the command line looks: levelfield review status" : "";
  }
  // Whatever the site tells of the bundle's review is what was replayed.
  function check(status, trust) {
    if (trust.standing !== null && trust.standing !== told(status)) {
      throw new Error(WHERE + ": replayed here it says “" + told(status) + "”, and this site says “" +
        trust.standing + "”");
    }
    Object.keys(trust.status || {}).forEach(function (name) {
      var here = shown(status[name]), there = shown(trust.status[name]);
      if (here !== there) {
        throw new Error(WHERE + ": replayed here its " + name.replace(/_/g, " ") + ": " +
          here.slice(0, 500) + "; this site says " + there.slice(0, 500));
      }
    });
  }
  function shown(value) { return value === undefined ? "nothing" : json.canonical(value); }

  levelfield.standing = { place: place, review: review };
})();
