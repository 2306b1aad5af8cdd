// Shows the steps of a verification in an ordered list, and what they come to above it.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var STATES = {
    running: ["plain", "…", "checking"], done: ["", "✓", "done"], failed: ["bad", "✕", "failed"],
    skipped: ["plain", "–", "not possible here"], unreached: ["plain", "–", "not reached"]
  };
  var VERDICTS = { verified: ["", "✓"], partial: ["warn", "!"], refused: ["bad", "✕"] };

  function element(name, className, text) {
    var made = document.createElement(name);
    if (className) { made.className = className; }
    if (text) { made.textContent = text; }
    return made;
  }
  function tag(kind, icon, word) {
    var made = element("span", "tag " + kind), mark = element("span", "", icon);
    mark.setAttribute("aria-hidden", "true");
    made.append(mark, " " + word);
    return made;
  }

  // Runs the verifier and shows it in `place`, an element; resolves with what it came to.
  async function show(place, source, trust) {
    var sum = element("p", "verify-sum"), list = element("ol", "verify-steps"), rows = [];
    sum.setAttribute("role", "status");
    levelfield.TITLES.forEach(function (title, number) {
      var row = element("li", "unreached"), text = element("span", "verify-text");
      row.append(element("span", "verify-number num", String(number)),
        element("strong", "", title), tag("plain", "–", "waiting"), text);
      rows.push(row);
      list.append(row);
    });
    place.replaceChildren(sum, list);
    tellSum(sum, "warn", "…", "Checking");
    var found = await levelfield.verify(source, trust, function (number, state, text) {
      var row = rows[number], words = STATES[state];
      row.className = state;
      row.children[2].replaceWith(tag(words[0], words[1], words[2]));
      row.children[3].textContent = text;
    });
    tellSum(sum, VERDICTS[found.verdict][0], VERDICTS[found.verdict][1], found.text);
    place.dataset.verdict = found.verdict;
    return found;
  }
  function tellSum(sum, kind, icon, text) {
    sum.className = "verify-sum " + kind;
    var mark = element("span", "icon", icon);
    mark.setAttribute("aria-hidden", "true");
    sum.replaceChildren(mark, element("span", "", text));
  }
  // What kept the verification from beginning at all.
  function refuse(place, reason) {
    var sum = element("p");
    sum.setAttribute("role", "status");
    tellSum(sum, "bad", "✕", reason);
    place.replaceChildren(sum);
    place.dataset.verdict = "refused";
  }

  levelfield.view = { show: show, refuse: refuse };
})();
