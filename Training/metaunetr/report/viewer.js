"use strict";
// The viewer of a report: slices of the CT in three planes, with the organs over them.
// Without JavaScript, or where anything fails, the page keeps its still pictures.
(async () => {
  const viewer = document.getElementById("viewer");
  const about = JSON.parse(document.getElementById("viewer-about").textContent);
  const [depth, height, width] = about.shape; // to superior, to posterior, to the patient's left
  const ct = await unpack("viewer-ct");
  const labels = await unpack("viewer-labels");
  const hu = levelsToHu(about.levels, about.hu);
  const organs = new Map(about.organs.map(organ => [organ.number, { ...organ, shown: true }]));
  const axes = { // of each plane: the axis of its slices, of its columns and of its rows
    axial: { slice: 0, column: 2, row: 1 },
    coronal: { slice: 1, column: 2, row: 0 },
    sagittal: { slice: 2, column: 1, row: 0 },
  };
  const strides = [height * width, width, 1];
  const cursor = about.cursor.slice(); // voxel that the three planes go through
  const planes = [...viewer.querySelectorAll("[data-plane]")].map(makePlane);
  const windows = viewer.querySelector("#window"), opacity = viewer.querySelector("#opacity");

  async function unpack(id) {
    const text = atob(document.getElementById(id).textContent);
    const bytes = new Uint8Array(text.length);
    for (let n = 0; n < text.length; n++) bytes[n] = text.charCodeAt(n);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const values = new Uint8Array(await new Response(stream).arrayBuffer());
    for (let n = 1; n < values.length; n++) values[n] += values[n - 1]; // differences, modulo 256
    return values;
  }

  function levelsToHu(levels, values) { // the inverse of the piecewise linear function
    return Array.from({ length: 256 }, (_, level) => {
      const n = Math.max(1, levels.findIndex(end => end >= level));
      const part = (level - levels[n - 1]) / (levels[n] - levels[n - 1]);
      return values[n - 1] + part * (values[n] - values[n - 1]);
    });
  }

  function makePlane(figure) {
    const { slice, column, row } = axes[figure.dataset.plane];
    const plane = {
      slice, column, row, canvas: figure.querySelector("canvas"),
      slider: figure.querySelector("input"), place: figure.querySelector(".place"),
      small: document.createElement("canvas"), up: row === 0, // superior is up
    };
    plane.small.width = about.shape[column];
    plane.small.height = about.shape[row];
    plane.canvas.style.aspectRatio = `${about.shape[column] * about.spacing[column]} / ` +
      `${about.shape[row] * about.spacing[row]}`;
    figure.querySelector(".bar").style.width =
      `${100 * 50 / (about.shape[column] * about.spacing[column])}%`;
    plane.slider.max = about.shape[slice] - 1;
    plane.slider.addEventListener("input", () => go(slice, plane.slider.valueAsNumber));
    plane.canvas.addEventListener("wheel", event => {
      event.preventDefault();
      go(slice, cursor[slice] + Math.sign(event.deltaY) * (slice === 0 ? -1 : 1));
    }, { passive: false });
    plane.canvas.addEventListener("click", event => point(plane, event));
    plane.canvas.addEventListener("pointermove", event => {
      if (event.pointerType === "mouse" && event.buttons === 1) point(plane, event);
    });
    return plane;
  }

  function point(plane, event) {
    const box = plane.canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    move(plane.column, Math.floor(x * about.shape[plane.column]));
    move(plane.row, Math.floor((plane.up ? 1 - y : y) * about.shape[plane.row]));
    draw();
  }

  function move(axis, index) {
    cursor[axis] = Math.max(0, Math.min(about.shape[axis] - 1, index));
  }

  function go(axis, index) {
    move(axis, index);
    draw();
  }

  function draw() {
    const [low, high] = windows.value.split(",").map(Number);
    const grey = hu.map(value => 255 * Math.max(0, Math.min(1, (value - low) / (high - low))));
    for (const plane of planes) paint(plane, grey, opacity.valueAsNumber / 100);
    const voxel = cursor[0] * strides[0] + cursor[1] * strides[1] + cursor[2];
    const organ = organs.get(labels[voxel]);
    viewer.querySelector("#here").textContent =
      `At the cross: about ${Math.round(hu[ct[voxel]])} HU${organ ? ", " + organ.name : ""}`;
  }

  function paint(plane, grey, fill) {
    const { small, canvas, slice, column, row } = plane;
    const picture = new ImageData(small.width, small.height), data = picture.data;
    const across = strides[column], down = plane.up ? -strides[row] : strides[row];
    const first = cursor[slice] * strides[slice] +
      (plane.up ? (small.height - 1) * strides[row] : 0);
    let out = 0;
    for (let y = 0; y < small.height; y++) {
      let voxel = first + y * down;
      for (let x = 0; x < small.width; x++, voxel += across, out += 4) {
        const level = grey[ct[voxel]], number = labels[voxel];
        const organ = number ? organs.get(number) : undefined;
        let alpha = 0;
        if (organ && organ.shown) {
          const edge = x === 0 || y === 0 || x === small.width - 1 || y === small.height - 1 ||
            labels[voxel - across] !== number || labels[voxel + across] !== number ||
            labels[voxel - down] !== number || labels[voxel + down] !== number;
          alpha = edge ? Math.min(1, 2.5 * fill) : fill;
        }
        for (let c = 0; c < 3; c++) {
          data[out + c] = alpha ? (1 - alpha) * level + alpha * organ.colour[c] : level;
        }
        data[out + 3] = 255;
      }
    }
    small.getContext("2d").putImageData(picture, 0, 0);
    const size = canvas.getBoundingClientRect(), sharp = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(size.width * sharp));
    canvas.height = Math.max(1, Math.round(size.height * sharp));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    const x = (cursor[column] + 0.5) / small.width * canvas.width;
    const y = (plane.up ? small.height - cursor[row] - 0.5 : cursor[row] + 0.5) /
      small.height * canvas.height;
    context.fillStyle = "rgba(255, 240, 160, 0.55)";
    context.fillRect(Math.round(x), 0, 1, canvas.height);
    context.fillRect(0, Math.round(y), canvas.width, 1);
    plane.slider.value = cursor[slice];
    plane.place.textContent = about.places[slice][cursor[slice]];
  }

  function goToOrgan(number) {
    organs.get(number).at.forEach((index, axis) => move(axis, index));
    draw();
    viewer.scrollIntoView({ block: "nearest" });
  }

  function addOrgan(organ) {
    const item = document.createElement("li"), box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.setAttribute("aria-label", `show ${organ.name}`);
    box.addEventListener("change", () => {
      organ.shown = box.checked;
      draw();
    });
    const chip = document.createElement("span");
    chip.className = "chip";
    chip.style.background = `rgb(${organ.colour})`;
    const name = document.createElement("button");
    name.type = "button";
    name.append(chip, organ.name);
    name.addEventListener("click", () => goToOrgan(organ.number));
    item.append(box, name);
    viewer.querySelector("#organs").append(item);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("select, input") && event.key.startsWith("Arrow")) return;
    const figure = event.target.closest("[data-plane]");
    const plane = planes[figure ? [...viewer.querySelectorAll("[data-plane]")].indexOf(figure) : 0];
    const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    if (event.key in steps) {
      go(plane.slice, cursor[plane.slice] + steps[event.key]);
    } else if (event.key >= "1" && event.key <= String(windows.length)) {
      windows.selectedIndex = Number(event.key) - 1;
      draw();
    } else if (event.key === "o") {
      const boxes = [...viewer.querySelectorAll("#organs input")];
      const shown = !boxes.some(box => box.checked);
      boxes.forEach(box => { box.checked = shown; });
      organs.forEach(organ => { organ.shown = shown; });
      draw();
    } else {
      return;
    }
    event.preventDefault();
  }

  organs.forEach(addOrgan);
  for (const name of document.querySelectorAll("[data-organ]")) { // in tables and headings
    const number = Number(name.dataset.organ);
    if (!organs.has(number)) continue;
    name.classList.add("link");
    name.tabIndex = 0;
    name.setAttribute("role", "button");
    name.addEventListener("click", () => goToOrgan(number));
    name.addEventListener("keydown", event => {
      if (event.key === "Enter") goToOrgan(number);
    });
  }
  windows.addEventListener("change", draw);
  opacity.addEventListener("input", draw);
  viewer.addEventListener("keydown", onKey);
  window.addEventListener("resize", draw);
  viewer.hidden = false;
  draw();
  document.body.classList.add("live"); // hides the still pictures
})().catch(error => {
  document.getElementById("viewer").hidden = true;
  console.error(error);
});
