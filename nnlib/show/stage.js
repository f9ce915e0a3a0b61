// The stage: it shows pieces of SVG by key, and steps, plays and scrubs through what Python drew.
// Nothing is computed or formatted here. One file serves the notebook and the exported page.

const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11 3v10L4 8z",
  play: "M4 2.5v11L13.5 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  forward: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
};
const KEYS = { ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last", " ": "play" };
const BUTTONS = {
  first: "First step",
  back: "Step back",
  play: "Play",
  forward: "Step forward",
  last: "Last step",
};
const PLAY_MS = 900;
const NO_PYTHON = "The controls work in a notebook, where Python answers.";

function make(parent, tag, attributes = {}, text = "") {
  const svg = tag === "svg" || parent.namespaceURI.endsWith("svg");
  const made = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return parent.appendChild(made);
}

function icon(button, name) {
  button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
}

// The piece of a track that is on at a step: the last one that begins no later.
function pieceAt(track, step) {
  let low = 0;
  for (let high = track.length - 1; low < high; ) {
    const middle = (low + high + 1) >> 1;
    if (track[middle][0] <= step) low = middle;
    else high = middle - 1;
  }
  return track[low][1];
}

// Put a stage into `el`. `send` takes the control values that a click or a control sets; without it
// (in an exported page) the controls only show what they were set to.
export function mount(el, content, step = 0, send = null) {
  const root = make(el, "div", {
    class: "nn-stage",
    role: "group",
    tabindex: 0,
    "data-lm-suppress-shortcuts": "true",
  });
  // JupyterLab's shortcuts (`d d` deletes the cell) ask the element in focus first, so it says no.
  root.addEventListener("focusin", ({ target }) => {
    target.setAttribute("data-lm-suppress-shortcuts", "true");
  });
  let last, timer; // the last step; what ticks while it plays
  let places, shown; // by key: the element of a piece, and the piece that is in it
  let kinds, dials; // what the controls are; how to move each

  const title = make(root, "p", { class: "nn-title" });
  const controls = make(root, "div", { class: "nn-controls", role: "group", "aria-label": "Controls" });
  const bar = make(root, "div", { class: "nn-bar" });
  const button = {};
  for (const [name, label] of Object.entries(BUTTONS)) {
    button[name] = make(bar, "button", { type: "button", "aria-label": label, title: label });
    button[name].addEventListener("click", () => act[name]());
    icon(button[name], name);
  }
  const scrub = make(bar, "input", { type: "range", min: 0, "aria-label": "Step" });
  const where = make(bar, "span", { class: "nn-where" });
  const jumps = make(bar, "span", { class: "nn-jumps" });
  const sentence = make(root, "p", { class: "nn-sentence", "aria-live": "polite" });
  const view = make(root, "div", { class: "nn-view", role: "group", "aria-label": "Picture" });
  const drawing = make(view, "svg", { role: "img" });

  function show(to) {
    step = Math.max(0, Math.min(last, to));
    for (const [key, track] of Object.entries(content.tracks)) {
      const piece = pieceAt(track, step);
      if (shown[key] === piece) continue;
      shown[key] = piece;
      places[key].innerHTML = piece;
    }
    const frame = content.frames[step];
    where.textContent = frame.where;
    sentence.textContent = frame.sentence;
    drawing.setAttribute("aria-label", frame.sentence);
    scrub.value = step;
    scrub.setAttribute("aria-valuetext", frame.where);
    root.dataset.step = step;
    follow(places[frame.at]);
  }

  // Scroll the view, and nothing around it, until a piece is inside.
  function follow(piece) {
    if (!piece) return;
    const [a, b] = [piece.getBoundingClientRect(), view.getBoundingClientRect()];
    const off = (low, high, from, to) => (low < from ? low - from : high > to ? high - to : 0);
    view.scrollBy({
      left: off(a.left - 60, a.right + 20, b.left, b.right),
      top: off(a.top - 20, a.bottom + 40, b.top, b.bottom),
    });
  }

  function pause() {
    clearInterval(timer);
    timer = null;
    sentence.setAttribute("aria-live", "polite");
    button.play.setAttribute("aria-label", "Play");
    button.play.title = "Play";
    icon(button.play, "play");
  }

  function play() {
    if (timer) return pause();
    if (step === last) show(0);
    sentence.setAttribute("aria-live", "off"); // a screen reader could not keep up
    button.play.setAttribute("aria-label", "Pause");
    button.play.title = "Pause";
    icon(button.play, "pause");
    timer = setInterval(() => {
      show(step + 1);
      if (step === last || !root.isConnected) pause();
    }, PLAY_MS);
  }

  // A slider or a list over `values`; Python wrote their `texts`. Returns how to move it.
  function control({ name, menu, values, texts }) {
    const label = make(controls, "label", { class: "nn-control" });
    make(label, "span", { class: "nn-name" }, name);
    const input = menu
      ? make(label, "select", { "aria-label": name })
      : make(label, "input", { type: "range", min: 0, max: values.length - 1, "aria-label": name });
    if (menu) texts.forEach((text, place) => make(input, "option", { value: place }, text));
    const number = menu ? null : make(label, "output", { class: "nn-number" });
    const write = () => {
      if (menu) return;
      number.textContent = texts[input.value];
      input.setAttribute("aria-valuetext", texts[input.value]);
    };
    input.disabled = !send;
    input.addEventListener("input", () => {
      write();
      send({ [name]: values[input.value] });
    });
    return (place) => {
      // The hand on a control is ahead of what Python has answered so far.
      if (root.getRootNode().activeElement !== input) input.value = place;
      write();
    };
  }

  function offer(wanted) {
    const found = JSON.stringify(wanted.map(({ at, value, ...kind }) => kind));
    if (found !== kinds) {
      kinds = found;
      controls.replaceChildren();
      dials = wanted.map(control);
      controls.hidden = !wanted.length;
      if (wanted.length && !send) make(controls, "p", { class: "nn-note" }, NO_PYTHON);
    }
    wanted.forEach(({ at }, i) => dials[i](at));
  }

  // Where in the drawing a click was.
  function touched({ clientX, clientY }) {
    const at = new DOMPoint(clientX, clientY).matrixTransform(drawing.getScreenCTM().inverse());
    send({ point: [at.x, at.y] });
  }

  const go = (to) => (pause(), show(to));
  const act = {
    first: () => go(0),
    back: () => go(step - 1),
    play,
    forward: () => go(step + 1),
    last: () => go(last),
  };

  function clicked(key) {
    const sets = content.sets[key];
    if (sets && send) send(sets);
    const happens = content.clicks[key];
    if (happens) go(happens.find((at) => at > step) ?? happens[0]);
  }

  function build(next) {
    content = next;
    last = content.frames.length - 1;
    [places, shown] = [{}, {}];
    root.setAttribute("aria-label", content.title);
    title.textContent = content.title;
    sentence.setAttribute("style", content.room);
    scrub.max = last;
    offer(content.controls);
    jumps.replaceChildren();
    for (const [name, to] of Object.entries(content.jumps)) {
      make(jumps, "button", { type: "button" }, name).addEventListener("click", () => go(to));
    }
    drawing.replaceChildren();
    drawing.setAttribute("viewBox", content.viewBox);
    drawing.setAttribute("style", content.style);
    for (const key of Object.keys(content.tracks)) {
      places[key] = make(drawing, "g", { "data-key": key });
      if (key === content.plane && send) {
        places[key].classList.add("nn-plane");
        places[key].addEventListener("click", touched);
      }
      if (!content.clicks[key] && !(content.sets[key] && send)) continue;
      places[key].classList.add("nn-clickable");
      places[key].addEventListener("click", () => clicked(key));
    }
    show(content.opens ?? step);
  }

  scrub.addEventListener("input", () => go(Number(scrub.value)));
  root.addEventListener("keydown", (event) => {
    const name = KEYS[event.key];
    const own = event.target.closest("button, input, select");
    // A button has its own Space; a slider and a list have their own arrows.
    if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
    if (own && (event.key === " " ? own.type !== "range" : own.type !== "button")) return;
    event.preventDefault();
    act[name]();
  });

  build(content);
  return { build, show: go, pause };
}

export default {
  render({ model, el }) {
    const send = (values) => {
      model.set("values", { ...model.get("values"), ...values });
      model.save_changes();
    };
    const stage = mount(el, model.get("content"), model.get("step"), send);
    const content = () => stage.build(model.get("content"));
    const step = () => stage.show(model.get("step"));
    model.on("change:content", content);
    model.on("change:step", step);
    return () => {
      stage.pause();
      model.off("change:content", content);
      model.off("change:step", step);
    };
  },
};
