// The page that compares: what was chosen, by the address or here, is loaded, judged and shown.
var levelfieldIndex, levelfieldResult;
(function () {
  "use strict";
  var dom = levelfieldDom, pairs = levelfieldPairs;
  var LETTERS = ["a", "b", "c", "d", "e", "f"];
  var OFFERED = 6;
  var index = Object.create(null), records = Object.create(null), loading = Object.create(null);
  var order = [];
  var chosen = [], base = null, everyRow = false;

  function part(id) { return document.getElementById(id); }
  function clear(element, children) {
    element.replaceChildren.apply(element, children || []);
  }

  // --- the address -------------------------------------------------------------------------------

  // A text of the address as it may be shown.
  function quoted(id) {
    return dom.make("code", {}, dom.make("bdi", {}, id.length > 90 ? id.slice(0, 90) + "…" : id));
  }

  // What the address asks for; what cannot be had is told, a line each.
  function readAddress(query) {
    var asked = new URLSearchParams(query), notes = [];
    LETTERS.forEach(function (letter) {
      var id = asked.get(letter);
      if (!id) { return; }
      if (!index[id]) {
        notes.push(["No result of this site has the id ", quoted(id), ": it is left out."]);
      } else if (chosen.indexOf(id) >= 0) {
        notes.push(["The address names ", quoted(id), " twice: it is shown once."]);
      } else {
        chosen.push(id);
      }
    });
    var named = asked.get("base");
    base = chosen.indexOf(named) >= 0 ? named : chosen[0] || null;
    if (named && named !== base) {
      notes.push(["The baseline that the address names, ", quoted(named),
        ", is not among the results: the first takes its place."]);
    }
    return notes;
  }

  function address() {
    return "?" + chosen.map(function (id, at) {
      return LETTERS[at] + "=" + encodeURIComponent(id);
    }).concat(base ? ["base=" + encodeURIComponent(base)] : []).join("&");
  }
  // A page from a file may not change its address; the link has it all the same.
  function keepAddress() {
    var link = chosen.length ? address() : location.pathname;
    part("permalink").href = link;
    part("link").hidden = chosen.length < 2;
    try { history.replaceState(null, "", link); } catch (error) { return; }
  }

  function note(lines) {
    lines.forEach(function (line) { part("notes").append(dom.make("li", {}, line)); });
    part("notes").hidden = !part("notes").children.length;
  }

  // --- what is chosen ----------------------------------------------------------------------------

  function act(key, id, words, label, action, enabled) {
    var button = dom.make("button", {
      type: "button", "data-key": key + " " + id, disabled: !enabled, "aria-label": label,
    }, words);
    button.addEventListener("click", action);
    return button;
  }
  function about(one) {
    return [one.workload, one.scenario.toLowerCase(), one.division + " division", "round " + one.round].join(" · ");
  }
  function change(edit) {
    var focused = document.activeElement && document.activeElement.dataset.key;
    edit();
    if (chosen.indexOf(base) < 0) { base = chosen[0] || null; }
    keepAddress();
    show();
    refocus(focused);
  }
  // Where a button is gone, the heading has the focus.
  function refocus(key) {
    if (!key) { return; }
    var again = Array.from(document.querySelectorAll("[data-key]:not([disabled])"))
      .find(function (button) { return button.dataset.key === key; });
    (again || part("chosen-title")).focus();
  }
  function move(at, by) {
    change(function () { chosen.splice(at + by, 0, chosen.splice(at, 1)[0]); });
  }

  function chosenItem(id, at) {
    var one = index[id], letter = LETTERS[at].toUpperCase(), isBase = id === base;
    var baseButton = act("base", id, isBase ? "⚑ Baseline" : "Make baseline",
      "Make " + letter + " the baseline", function () { change(function () { base = id; }); }, true);
    baseButton.setAttribute("aria-pressed", String(isBase));
    return dom.make("li", { class: isBase ? "base" : null }, [
      dom.letter({ letter: letter }),
      dom.make("div", { class: "what" }, [
        dom.make("a", { href: "../" + one.page }, dom.make("bdi", {}, one.system)), " ",
        one.refused ? dom.tag("bad", "✕", "refused") : null,
        dom.make("small", {}, [dom.make("bdi", {}, one.organisation), " · " + about(one)]),
      ]),
      dom.make("span", { class: "num" }, one.score || "no score"),
      dom.make("div", { class: "acts" }, [
        baseButton,
        act("up", id, "↑", "Move " + letter + " up", function () { move(at, -1); }, at > 0),
        act("down", id, "↓", "Move " + letter + " down", function () { move(at, 1); }, at < chosen.length - 1),
        act("remove", id, "Remove", "Remove " + letter, function () {
          change(function () { chosen.splice(at, 1); });
        }, true),
      ]),
    ]);
  }

  // --- the picker --------------------------------------------------------------------------------

  function text(one) {
    return [one.system, one.organisation, about(one), one.id].join(" ").toLowerCase();
  }
  // Results that every word fits; those that can be compared with the baseline first.
  function search(words) {
    var found = order.filter(function (one) {
      return chosen.indexOf(one.id) < 0 && words.every(function (word) { return text(one).indexOf(word) >= 0; });
    });
    var fits = function (one) { return base && !pairs.reason(one, index[base]); };
    return found.filter(fits).concat(found.filter(function (one) { return !fits(one); }));
  }
  function offer(one) {
    var full = chosen.length >= LETTERS.length;
    var reason = base ? pairs.reason(one, index[base]) : "";
    return dom.make("li", {}, [
      dom.make("div", { class: "what" }, [
        dom.make("bdi", {}, one.system), " ",
        reason ? dom.tag("plain", "–", "would not be compared") : null,
        dom.make("small", {}, [dom.make("bdi", {}, one.organisation), " · " + about(one)]),
      ]),
      dom.make("span", { class: "num" }, one.score || "no score"),
      act("add", one.id, "Add", "Add " + one.system, function () {
        change(function () { chosen.push(one.id); });
      }, !full),
    ]);
  }
  function showOffers() {
    var words = part("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    var found = search(words);
    clear(part("offers"), found.slice(0, OFFERED).map(offer));
    part("found").textContent = chosen.length >= LETTERS.length
      ? "Six are compared, and no more can be: remove one first."
      : found.length > OFFERED ? "The first " + OFFERED + " of " + pairs.plural(found.length, "result") + "; more words find others."
        : found.length ? pairs.plural(found.length, "result") + "." : "No other result fits.";
  }

  // --- the outcome -------------------------------------------------------------------------------

  function section(title, id, content) {
    return content ? [dom.make("h2", { id: id }, title)].concat(content) : [];
  }
  function outcome(results, baseline) {
    var told = function (pair) {
      pair.ratioWords = pairs.ratioInWords(pair);
      pair.intervalWords = pairs.intervalInWords(pair);
      return pair;
    };
    var all = pairs.compareAll(results, baseline, "score");
    var compared = all.filter(function (pair) { return pair.verdict; }).map(told);
    var without = all.filter(function (pair) { return !pair.verdict; });
    var speeds = pairs.compareAll(results, baseline, "speed").map(told);
    var among = results.filter(function (one) {
      return one === baseline || compared.some(function (pair) { return pair.one === one; });
    });
    return [].concat(
      section("Scores", "scores", [
        baseline.rankable ? null : dom.make("p", { class: "notice" }, "Practice: these runs are short, and say nothing about a real round."),
        compared.length ? levelfieldChart.figure(among, baseline, levelfieldTables.finding(compared, baseline)) : null,
        compared.length ? levelfieldTables.scores(compared, baseline) : null,
        without.length ? levelfieldTables.leftOut(without) : null,
      ]),
      section("Without the luck of converging", "without-luck",
        speeds.length ? levelfieldTables.speeds(speeds, baseline) : null),
      section("Energy and cost", "use", levelfieldTables.use(results, baseline, among) ||
        dom.make("p", {}, "Of no two of these results was energy measured within one boundary, or a price stated.")),
      section("What differs", "differences",
        levelfieldTables.differences(results, baseline, everyRow, function (all) { everyRow = all; })))
      .filter(Boolean);
  }

  function show() {
    clear(part("chosen"), chosen.map(chosenItem));
    part("hint").textContent = chosen.length === 0 ? "Nothing yet. Add two results below."
      : chosen.length === 1 ? "One so far. Add another to compare it with; those of the same leaderboard come first."
        : "";
    showOffers();
    var shown = chosen.slice();
    Promise.all(shown.map(load)).then(function () {
      if (shown.join() !== chosen.join()) { return; }
      var results = chosen.filter(function (id) { return records[id]; }).map(function (id) {
        return Object.assign({}, index[id], records[id], { letter: LETTERS[chosen.indexOf(id)].toUpperCase() });
      });
      var baseline = results.find(function (one) { return one.id === base; });
      var focused = document.activeElement && document.activeElement.dataset.key;
      clear(part("outcome"), results.length > 1 && baseline ? outcome(results, baseline) : []);
      if (document.activeElement === document.body) { refocus(focused); }
      part("outcome").dataset.shown = chosen.join(" ");
    });
  }

  // --- loading -----------------------------------------------------------------------------------

  // Only ids of the index are asked for. A file that is missing is told and left out.
  function load(id) {
    loading[id] = loading[id] || new Promise(function (resolve) {
      var script = dom.make("script", { src: "data/" + id + ".js" });
      script.addEventListener("load", resolve);
      script.addEventListener("error", function () {
        note([["The data of ", quoted(id), " could not be loaded: it is left out."]]);
        resolve();
      });
      document.head.append(script);
    });
    return loading[id];
  }
  levelfieldResult = function (record) { records[record.id] = record; };
  levelfieldIndex = function (entries) {
    order = entries;
    entries.forEach(function (entry) { index[entry.id] = entry; });
    note(readAddress(location.search));
    part("picker").open = chosen.length < 2;
    part("search").addEventListener("input", showOffers);
    keepAddress();
    show();
  };
})();
