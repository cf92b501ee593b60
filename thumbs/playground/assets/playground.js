// The playground. The server makes every URL and judges it; this script reads the controls, draws and measures.

const $ = (id) => document.getElementById(id);
const { link: LINK, url: PARSE, originals: ORIGINALS } = document.body.dataset;
const JXL = "image/jxl";
const PICTURES = "image/avif,image/webp,image/png,image/*;q=0.8,*/*;q=0.5"; // as browsers ask for an <img>
// One pixel: most browsers do not decode JPEG XL, and do not ask for it.
const TINY_JXL = "data:image/jxl;base64,/woAEBAJCAQBABwASxiLFYIDAA==";
// Some programs that fill in forms send only the second one for a <select>.
const onInput = (element, listener) => ["input", "change"].forEach((name) => element.addEventListener(name, listener));
const DELAY = 150; // milliseconds between the last change of a control and its effect

// ---------------------------------------------------------------------------------------- controls

/** One argument of a filter, in its element. */
class Field {
    constructor(element) {
        const { field, start, default: absent, onlyWith, before, way } = element.dataset;
        Object.assign(this, { element, kind: field, start, default: absent, before, way });
        this.onlyWith = onlyWith === "" ? [] : onlyWith.split(" ");
        this.optional = "optional" in element.dataset;
        this.word = element.querySelector("[data-part=word]");
        this.number = element.querySelector("[data-part=number]");
        this.slider = element.querySelector("[data-part=slider]");
        this.picker = element.querySelector("[data-part=picker]");
        this.unit = element.querySelector("[data-part=unit]");
        this.text = element.querySelector("[data-part=color], [data-part=text]");
        this.edges = [...element.querySelectorAll("[data-part=edge], [data-part=coordinate]")];
        this.initial = [...element.querySelectorAll("input, select")].map((part) => [part, part.value]);
        this.#follow();
    }

    get value() {
        if (this.word !== null && (this.word.value !== "" || !this.numbers.length)) {
            return this.word.value;
        }
        if (this.numbers.length) {
            const unit = this.unit?.value ?? "";
            const texts = this.numbers.map(({ value }) => (value === "" ? "" : value + unit));
            return [...(this.before === "" ? [] : [this.before]), ...texts].join(",");
        }
        return this.text.value.trim().replace(/^#/, "");
    }

    get numbers() {
        return this.number === null ? this.edges : [this.number];
    }

    /** Whether it may stand behind an argument. */
    mayFollow(argument) {
        return this.onlyWith.length === 0 || this.onlyWith.includes(argument);
    }

    /** How many of `parts`, the texts between the commas, are its own; -1 where it cannot have the first ones. */
    count(parts) {
        const words = this.word === null ? [] : [...this.word.options].map(({ value }) => value);
        if (words.includes(parts.join(",")) && parts.length > 1) {
            return parts.length;
        }
        if (words.includes(parts[0]) && (parts[0] !== "" || !this.numbers.length)) {
            return 1;
        }
        if (!this.numbers.length) {
            return this.word === null ? 1 : -1;
        }
        const first = this.before === "" ? 0 : 1;
        const numbers = parts.slice(first, first + this.numbers.length);
        const isOwn = (first === 0 || parts[0] === this.before) && numbers.length === this.numbers.length;
        return isOwn && this.#unitOf(numbers) !== null ? first + numbers.length : -1;
    }

    /** Set it to texts that `count` has counted. */
    set(parts) {
        const isWord = this.word !== null && [...this.word.options].some(({ value }) => value === parts.join(",") && (value !== "" || !this.numbers.length));
        if (isWord) {
            this.word.value = parts.join(",");
            this.show();
        } else if (this.numbers.length) {
            this.setNumbers(parts.slice(this.before !== "" && parts[0] === this.before ? 1 : 0));
        } else if (this.text !== null) {
            this.text.value = parts.join(",");
            this.show();
        }
    }

    setNumbers(texts) {
        if (this.word !== null) {
            this.word.value = "";
        }
        if (this.unit !== null) {
            this.unit.value = this.#unitOf(texts) ?? "";
        }
        this.numbers.forEach((input, index) => (input.value = (texts[index] ?? "").replace(/px$/, "")));
        this.show();
    }

    reset() {
        this.initial.forEach(([part, value]) => (part.value = value));
        this.show();
    }

    /** Bring the slider, the picker and the inputs for numbers in line with the values. */
    show() {
        if (this.slider !== null) {
            this.slider.value = this.number.value;
        }
        if (this.picker !== null) {
            const digits = this.text.value.replace(/^#/, "");
            const long = /^[0-9a-f]{3,4}$/i.test(digits) ? digits.replace(/./g, "$&$&") : digits;
            if (/^[0-9a-f]{6}/i.test(long)) {
                this.picker.value = `#${long.slice(0, 6).toLowerCase()}`;
            }
        }
        if (this.word !== null && this.numbers.length) {
            const hidden = this.word.value !== "";
            [...this.numbers, ...(this.unit === null ? [] : [this.unit])].forEach((input) => ((input.closest(".numbers") ?? input).hidden = hidden));
        }
    }

    #unitOf(texts) {
        const unit = this.unit !== null && texts.every((text) => text.endsWith("px")) ? "px" : "";
        return texts.every((text) => /^-?\d+(\.\d+)?$/.test(text.slice(0, text.length - unit.length))) ? unit : null;
    }

    #follow() {
        this.slider?.addEventListener("input", () => (this.number.value = this.slider.value));
        this.picker?.addEventListener("input", () => (this.text.value = this.picker.value.slice(1)));
        onInput(this.element, (event) => event.target !== this.slider && this.show());
        this.show();
    }
}

/** A filter of the server's table: a switch, and the fields of its arguments. */
class Filter {
    #raw = null; // arguments of a URL that no field can show: kept until a field changes

    constructor(element) {
        this.element = element;
        this.name = element.dataset.filter;
        this.drawn = element.dataset.drawn ?? "";
        this.switch = element.querySelector(".switch");
        this.way = element.querySelector(".way");
        this.fields = [...element.querySelectorAll("[data-field]")].map((field) => new Field(field));
        this.body = element.querySelector(".fields");
        this.switch.addEventListener("change", () => this.show());
        onInput(this.body, () => {
            this.#raw = null;
            this.show();
        });
    }

    get on() {
        return this.switch.checked;
    }

    set on(value) {
        this.switch.checked = value;
        this.show();
    }

    /** The field that is dragged on the original. */
    get drawnField() {
        return this.fields.find((field) => field.kind === this.drawn);
    }

    /** The unit of what is dragged. */
    get unit() {
        return this.drawnField?.unit?.value ?? this.element.dataset.unit ?? "";
    }

    /** Set what is dragged, which may be one of several ways to give the filter. */
    draw(texts) {
        this.#raw = null;
        if (this.way !== null) {
            this.way.value = this.drawnField.way;
        }
        this.drawnField.setNumbers(texts);
    }

    show() {
        this.body.hidden = !this.on || this.fields.length === 0;
        this.element.classList.toggle("is-on", this.on);
        let before = "";
        for (const field of this.fields) {
            const isOff = (this.way !== null && field.way !== this.way.value) || !field.mayFollow(before);
            field.element.hidden = isOff;
            before = isOff ? before : field.value;
        }
        const shown = this.element.querySelector(".raw");
        shown.hidden = !this.on || !this.#raw;
        shown.querySelector("code").textContent = this.#raw ?? "";
    }

    get arguments() {
        if (this.#raw !== null) {
            return this.#raw;
        }
        const fields = this.fields.filter((field) => !field.element.hidden);
        while (fields.length && fields.at(-1).optional && ["", fields.at(-1).default].includes(fields.at(-1).value)) {
            fields.pop();
        }
        return fields.map((field) => field.value).join(",");
    }

    set arguments(text) {
        const parts = text === "" ? [] : text.split(",");
        const ways = this.way === null ? [""] : [...this.way.options].map(({ value }) => value);
        const found = ways.map((way) => [way, this.#shared(this.fields.filter((field) => field.way === way), parts)]);
        const [way, shares] = found.find(([, each]) => each !== null) ?? ["", null];
        this.#raw = shares === null ? text : null;
        if (shares !== null) {
            if (this.way !== null) {
                this.way.value = way;
            }
            const values = [];
            for (const [field, own] of shares) {
                // Numbers that are left out are those of the opposite side, as in CSS.
                const missing = field.optional ? field.default : (values[values.length - 2] ?? values.at(-1) ?? field.start);
                field.set(own.length ? own : missing.split(","));
                values.push(field.value);
            }
        }
        this.show();
    }

    /** What of `parts` each of `fields` has; null where they are not arguments of these fields. */
    #shared(fields, parts) {
        const shares = [];
        let rest = parts;
        let before = "";
        for (const field of fields) {
            const isLeftOut = field.optional || (field.kind === "range" && shares.length > 0);
            const count = !field.mayFollow(before) ? 0 : rest.length ? field.count(rest) : isLeftOut ? 0 : -1;
            if (count < 0) {
                return null;
            }
            shares.push([field, rest.slice(0, count)]);
            before = rest.slice(0, count).join(",");
            rest = rest.slice(count);
        }
        return rest.length ? null : shares;
    }

    get text() {
        return this.arguments === "" ? this.name : `${this.name}(${this.arguments})`;
    }

    reset() {
        this.#raw = null;
        if (this.way !== null) {
            this.way.selectedIndex = 0;
        }
        this.fields.forEach((field) => field.reset());
        this.on = false;
    }
}

const filters = [...document.querySelectorAll("[data-filter]")].map((element) => new Filter(element));
const filterOf = (name) => filters.find((filter) => filter.name === name);

function collected() {
    return {
        storage: $("storage").value,
        key: $("key").value,
        size: `${$("width").value}x${$("height").value}`,
        filters: filters.filter((filter) => filter.on).map((filter) => filter.text).join(";"),
        name: $("name").value,
    };
}

/** Set the controls to the parts of a URL, as the server read them. */
function apply(parts) {
    $("storage").value = parts.storage;
    $("key").value = parts.key;
    const [width, height] = parts.size.split("x");
    const digits = (text) => (/^\d+$/.test(text ?? "") ? text : ""); // a wrong size stays in the URL
    $("width").value = digits(width);
    $("height").value = digits(height);
    $("name").value = parts.name;
    filters.forEach((filter) => filter.reset());
    for (const [name, text] of parts.filters) {
        const filter = filterOf(name);
        filter.arguments = text;
        filter.on = true;
    }
}

// ----------------------------------------------------------------------------------------- changes

let current = null; // what the server said of the URL
let asked = new AbortController();
let timer = 0;
let preparing = 0; // controls that are about to get their first values: no URL is made before

function schedule() {
    clearTimeout(timer);
    asked.abort(); // what it would show is not wanted any more
    $("result").setAttribute("aria-busy", "true");
    timer = setTimeout(update, DELAY);
}

/** Ask the server for the URL of the controls, or for the parts of a URL, and show what it is. */
async function update({ typed = null } = {}) {
    clearTimeout(timer);
    asked.abort();
    if (preparing > 0 && typed === null) {
        schedule();
        return;
    }
    asked = new AbortController();
    const { signal } = asked;
    $("result").setAttribute("aria-busy", "true");
    const query = new URLSearchParams(typed === null ? collected() : { url: typed });
    try {
        if (typed === null && $("key").value === "") {
            show({ url: "", text: "", error: "", mistakes: [], facts: [], note: "", formats: [], copy: {}, original: "" }, typed);
            empty("Choose an original.");
        } else {
            const answer = await fetch(`${typed === null ? LINK : PARSE}?${query}`, { signal });
            if (!answer.ok) {
                throw new Error(`The playground answered with ${answer.status}.`);
            }
            const found = await answer.json();
            signal.throwIfAborted(); // what was read whole before is not wanted any more either
            if (typed !== null && found.parts !== null) {
                apply(found.parts);
            }
            show(found, typed);
            await picture(found, signal);
        }
    } catch (error) {
        if (signal.aborted) {
            return;
        }
        empty(error.message);
    }
    $("result").setAttribute("aria-busy", "false");
}

function show(found, typed) {
    current = found;
    if (typed === null || found.error === "") {
        $("url").value = found.url;
    }
    dialect(found.dialect ?? null);
    $("note").textContent = found.note;
    $("note").hidden = found.note === "";
    judge(found);
    for (const name of ["url", "curl", "tag", "picture"]) {
        $(`snippet-${name}`).textContent = found.copy[name] ?? "";
    }
    $("facts").replaceChildren(...found.facts.map(([name, text]) => made("div", {}, made("dt", {}, name), made("dd", {}, text))));
    original(found.original ?? "");
    outline();
    formats();
    const parts = collected();
    history.replaceState(null, "", parts.key ? `?${new URLSearchParams(parts)}` : location.pathname);
}

/** What a URL of another image server becomes, or why it becomes nothing. */
function dialect(found) {
    const part = $("dialect");
    if (part === null) {
        return;
    }
    part.hidden = found === null;
    if (found === null) {
        return;
    }
    const [[, kind], ...lines] = found.lines;
    $("dialect-title").textContent = `A URL of ${kind}`;
    $("dialect-source").textContent = found.url;
    const rows = [...lines, ...(found.refusal === "" ? [] : [["refused", found.refusal]])];
    $("dialect-lines").replaceChildren(...rows.map(([name, text]) => made("div", {}, made("dt", {}, name), made("dd", { dir: "auto" }, text))));
}

/** The URL with its wrong parts marked, a sentence for each, and a button for what would be right. */
function judge({ text, mistakes, error }) {
    $("url").toggleAttribute("aria-invalid", error !== "");
    if (error === "") {
        $("verdict").replaceChildren();
        return;
    }
    const line = made("code", { className: "marked", dir: "ltr" });
    let end = 0;
    for (const mistake of mistakes) {
        if (mistake.start >= end) {
            line.append(text.slice(end, mistake.start), made("mark", {}, text.slice(mistake.start, mistake.end) || "▴"));
            end = mistake.end;
        }
    }
    line.append(text.slice(end));
    const list = mistakes.map((mistake) => {
        const item = made("li", {}, `${mistake.sentence} `);
        if (mistake.nearest !== "") {
            const button = made("button", { type: "button", className: "button small" }, `Use ${mistake.nearest}`);
            button.addEventListener("click", () => {
                const right = text.slice(0, mistake.start) + mistake.nearest + text.slice(mistake.end);
                $("url").value = right;
                update({ typed: right });
            });
            item.append(button);
        }
        return item;
    });
    $("verdict").replaceChildren(line, made("ul", { className: "mistakes" }, ...(list.length ? list : [made("li", {}, error)])));
}

// ----------------------------------------------------------------------------------------- picture

function empty(sentence) {
    $("thumbnail").hidden = true;
    $("data").hidden = true;
    $("no-thumbnail").textContent = sentence;
    $("no-thumbnail").hidden = false;
    $("cache").hidden = true;
    document.querySelectorAll("[data-figure]").forEach((element) => (element.textContent = "–"));
    timing([]);
}

/** What stands in the place of a file that the browser cannot show. */
const unshown = (blob) => `This browser does not show ${blob.type || "this type"}.`;

const decodesJxl = new Promise((resolve) => {
    const image = new Image();
    image.addEventListener("load", () => resolve(true));
    image.addEventListener("error", () => resolve(false));
    image.src = TINY_JXL;
});

/** Fetch the thumbnail, show it, and say what it weighs and how long it took. Throws once another one is wanted. */
async function picture({ url, error, note }, signal) {
    if (error !== "" || note !== "") {
        empty(error || note);
        return;
    }
    const begun = performance.now();
    const accept = (await decodesJxl) ? `${JXL},${PICTURES}` : PICTURES;
    const answer = await fetch(url, { signal, cache: "no-store", headers: { Accept: accept } });
    const blob = await answer.blob();
    const spent = performance.now() - begun;
    signal.throwIfAborted();
    if (!answer.ok) {
        const detail = await detailOf(blob);
        signal.throwIfAborted();
        empty(`${answer.status}: ${detail}`);
        return;
    }
    const isData = blob.type.startsWith("application/json");
    const image = $("thumbnail");
    const former = image.src;
    $("data").hidden = !isData;
    $("no-thumbnail").hidden = true;
    if (isData) {
        image.hidden = true;
        const text = await blob.text();
        signal.throwIfAborted();
        $("data").textContent = JSON.stringify(JSON.parse(text), null, 2);
        describe(answer, blob, spent, "–");
        return;
    }
    image.src = URL.createObjectURL(blob);
    image.hidden = false;
    if (former.startsWith("blob:")) {
        URL.revokeObjectURL(former);
    }
    const isShown = await image.decode().then(() => true, () => false);
    signal.throwIfAborted();
    if (!isShown) {
        empty(unshown(blob));
    }
    describe(answer, blob, spent, isShown ? `${image.naturalWidth} × ${image.naturalHeight}` : "–");
}

function describe(answer, blob, spent, size) {
    const layer = answer.headers.get("X-Cache") ?? "";
    $("cache").textContent = layer;
    $("cache").hidden = layer === "";
    figure("size", size);
    figure("bytes", bytes(blob.size));
    figure("type", answer.headers.get("Content-Type") ?? "–");
    figure("time", milliseconds(spent));
    timing(stages(answer.headers.get("Server-Timing") ?? ""));
}

async function detailOf(blob) {
    try {
        return JSON.parse(await blob.text()).detail;
    } catch {
        return "The server gave no picture.";
    }
}

function figure(name, text) {
    document.querySelector(`[data-figure=${name}]`).textContent = text;
}

/** The stages of a `Server-Timing` header: [name, milliseconds or null, description]. */
function stages(header) {
    return header.split(",").map((entry) => {
        const [name, ...parameters] = entry.trim().split(";");
        const values = Object.fromEntries(parameters.map((each) => each.trim().split("=", 2)));
        const spent = values.dur === undefined ? null : Number(values.dur);
        return [name, spent, (values.desc ?? "").replaceAll('"', "")];
    });
}

function timing(found) {
    const measured = found.filter(([, spent]) => spent !== null);
    $("timing").replaceChildren(
        ...measured.map(([name, spent], index) => {
            const part = made("span", { className: `stage-${index % 6}`, title: name });
            part.style.setProperty("flex-grow", String(Math.max(spent, 0.01)));
            return part;
        }),
    );
    const items = found
        .filter(([name]) => name !== "")
        .map(([name, spent, text]) => {
            const index = measured.findIndex(([each]) => each === name);
            const dot = made("span", { className: spent === null ? "dot none" : `dot stage-${index % 6}` });
            const label = name === "layer" ? "answered by " : `${name} `;
            return made("li", {}, dot, label, made("strong", {}, spent === null ? text : milliseconds(spent)));
        });
    $("timing-list").replaceChildren(...(items.length ? items : [made("li", {}, "No answer yet.")]));
}

// ------------------------------------------------------------------------------- formats side by side

let comparing = new AbortController();

/** Fetch the picture in every format that the storage offers, one after the other, while the part is open. */
async function formats() {
    comparing.abort();
    comparing = new AbortController();
    const { signal } = comparing;
    if (!$("formats").open || current === null) {
        return;
    }
    const rows = current.formats.map(({ name, url }) => {
        const image = made("img", { alt: `As ${name}` });
        const size = made("strong", {}, "…");
        const bar = made("span", { className: "bar" });
        const text = made("div", { className: "format-text" }, made("span", { className: "format-name" }, name), size);
        return { url, image, size, bar, item: made("li", {}, image, text, made("div", { className: "track" }, bar)), weight: 0 };
    });
    $("formats-list").replaceChildren(...(rows.length ? rows.map(({ item }) => item) : [made("li", { className: "hint" }, "Nothing to compare.")]));
    try {
        for (const row of rows) {
            const answer = await fetch(row.url, { signal });
            const blob = await answer.blob();
            if (answer.ok) {
                row.weight = blob.size;
                row.image.src = URL.createObjectURL(blob);
                row.image.addEventListener("load", () => URL.revokeObjectURL(row.image.src), { once: true });
                row.image.addEventListener("error", () => row.image.replaceWith(made("p", { className: "unshown" }, unshown(blob))), { once: true });
                row.size.textContent = bytes(blob.size);
            } else {
                row.size.textContent = `${answer.status}: ${await detailOf(blob)}`;
            }
            const most = Math.max(...rows.map(({ weight }) => weight));
            rows.forEach(({ bar, weight }) => bar.style.setProperty("inline-size", `${most ? (100 * weight) / most : 0}%`));
        }
    } catch (error) {
        if (!signal.aborted) {
            $("formats-list").append(made("li", { className: "hint" }, error.message));
        }
    }
}

// ----------------------------------------------------------------------- the original, and what is dragged

let whole = { url: "", size: null }; // the original in its own size, whose pixels `crop` counts

function original(url) {
    const image = $("original");
    if (url === "") {
        image.removeAttribute("src");
        $("no-original").textContent = $("key").value === "" ? "Choose an original." : "The original cannot be shown here.";
    } else if (image.getAttribute("src") !== url) {
        $("area").hidden = true;
        $("no-original").textContent = "";
        image.src = url;
    }
    $("no-original").hidden = url !== "" && !$("area").hidden;
    $("area").hidden = url === "" || !image.complete;
}

$("original").addEventListener("load", () => {
    $("area").hidden = false;
    $("no-original").hidden = true;
    outline();
});
$("original").addEventListener("error", () => {
    if ($("original").hasAttribute("src")) {
        $("area").hidden = true;
        $("no-original").textContent = "The original cannot be shown.";
        $("no-original").hidden = false;
    }
});

/** Width and height of the original in pixels, read once for each; null where the server does not make it. */
async function pixels() {
    const url = current?.whole ?? "";
    if (url === "") {
        return null;
    }
    if (whole.url !== url) {
        const image = new Image();
        const size = new Promise((resolve) => {
            image.addEventListener("load", () => resolve([image.naturalWidth, image.naturalHeight]));
            image.addEventListener("error", () => resolve(null));
        });
        whole = { url, size };
        image.src = url;
    }
    return whole.size;
}

/** The units of the numbers of a box or a point, for the whole width and height; null where they are not known. */
async function scaleOf(filter) {
    if (filter.drawn === "point" && filter.unit === "") {
        return [1, 1];
    }
    return filter.unit === "%" ? [100, 100] : pixels();
}

const rounded = (value, unit) => String(unit === "px" ? Math.round(value) : Number(value.toFixed(unit === "%" ? 1 : 2)));
const tool = () => filterOf(document.querySelector("[name=tool]:checked")?.value);

/** Draw the boxes and points of the filters that are on. */
async function outline() {
    const shown = { box: null, point: null };
    for (const filter of filters.filter(({ on, drawn, drawnField }) => on && drawn !== "" && !drawnField.element.hidden)) {
        const scale = await scaleOf(filter);
        const texts = filter.drawnField.value.split(",").map((text) => text.replace(/px$/, ""));
        const values = texts.map(Number);
        const isComplete = texts.length === filter.drawnField.edges.length && texts.every((text) => text !== "" && Number.isFinite(Number(text)));
        if (scale !== null && isComplete) {
            shown[filter.drawn] = values.map((value, index) => (100 * value) / scale[index % 2]);
        }
    }
    const { box, point } = shown;
    $("box").hidden = box === null;
    if (box !== null) {
        const [left, top, right, bottom] = box;
        const sides = { left, top, width: right - left, height: bottom - top };
        Object.entries(sides).forEach(([name, value]) => $("box").style.setProperty(name, `${Math.max(0, value)}%`));
    }
    $("point").hidden = point === null;
    if (point !== null) {
        $("point").style.setProperty("left", `${point[0]}%`);
        $("point").style.setProperty("top", `${point[1]}%`);
    }
}

/** Where a pointer is on the original: two fractions from the top left. */
function fractionsOf(event) {
    const { left, top, width, height } = $("original").getBoundingClientRect();
    const inside = (value) => Math.min(1, Math.max(0, value));
    return [inside((event.clientX - left) / width), inside((event.clientY - top) / height)];
}

function dragging() {
    const area = $("area");
    let drag = null;

    function move(event) {
        const { filter, scale, from } = drag;
        const to = fractionsOf(event);
        if (filter.drawn === "point") {
            filter.draw(to.map((value, index) => rounded(value * scale[index], filter.unit) + filter.unit));
        } else {
            const edges = [0, 1].map((axis) => [from[axis], to[axis]].sort((a, b) => a - b));
            const values = [edges[0][0], edges[1][0], edges[0][1], edges[1][1]];
            if (values[2] - values[0] < 0.01 || values[3] - values[1] < 0.01) {
                return;
            }
            filter.draw(values.map((value, index) => rounded(value * scale[index % 2], filter.unit)));
        }
        use(filter);
        outline();
        schedule();
    }

    area.addEventListener("pointerdown", async (event) => {
        const filter = tool();
        if (filter === undefined || event.button !== 0) {
            return;
        }
        event.preventDefault();
        area.setPointerCapture(event.pointerId);
        drag = { filter, scale: null, from: fractionsOf(event) };
        const mine = drag;
        const scale = await scaleOf(filter);
        if (drag === mine) {
            drag.scale = scale;
        }
        if (scale === null) {
            drag = null;
            toast("The pixels of this original are not known here. Use pcrop, in percent.");
        } else if (drag === mine && filter.drawn === "point") {
            move(event);
        }
    });
    area.addEventListener("pointermove", (event) => drag?.scale && move(event));
    area.addEventListener("pointerup", () => (drag = null));
    area.addEventListener("pointercancel", () => (drag = null));
}

/** Switch a filter on, and off the others that are dragged in the same way: a URL has one crop. */
function use(filter) {
    filters.filter((other) => other !== filter && other.drawn === "box" && filter.drawn === "box").forEach((other) => (other.on = false));
    filter.on = true;
}

/** Give a box that is empty the middle of the original. */
async function begin(filter) {
    if (filter.drawn === "") {
        return;
    }
    use(filter);
    const field = filter.drawnField;
    const isEmpty = () => filter.drawn === "box" && !field.element.hidden && field.edges.every((input) => input.value === "");
    if (isEmpty()) {
        preparing += 1;
        const scale = await scaleOf(filter).finally(() => (preparing -= 1));
        if (scale !== null && isEmpty()) { // it may have been filled in meanwhile
            field.setNumbers([0.1, 0.1, 0.9, 0.9].map((value, index) => rounded(value * scale[index % 2], filter.unit)));
        }
    }
    const radio = document.querySelector(`[name=tool][value="${filter.name}"]`);
    radio.checked = true;
}

// --------------------------------------------------------------------------------------- originals

function browsing() {
    const dialog = $("originals");
    if (dialog === null) {
        return;
    }
    let page = 0;
    let listing = new AbortController();
    let wait = 0;

    async function list() {
        listing.abort();
        listing = new AbortController();
        const { signal } = listing;
        $("originals-status").textContent = "Listing…";
        $("originals-list").replaceChildren();
        $("previous").disabled = $("next").disabled = true;
        const query = new URLSearchParams({ storage: $("storage").value, prefix: $("prefix").value, page });
        try {
            const answer = await fetch(`${ORIGINALS}?${query}`, { signal });
            const found = answer.ok ? await answer.json() : { originals: [], more: false, error: "The originals cannot be listed." };
            signal.throwIfAborted();
            $("originals-list").replaceChildren(...found.originals.map(tile));
            const nothing = page === 0 ? "No original begins like this." : "No more originals.";
            $("originals-status").textContent = found.error || (found.originals.length ? "" : nothing);
            $("page-number").textContent = `Page ${page + 1}`;
            $("previous").disabled = page === 0;
            $("next").disabled = !found.more;
        } catch (error) {
            if (!signal.aborted) {
                $("originals-status").textContent = error.message;
            }
        }
    }

    function tile({ key, url }) {
        const image = url === "" ? made("span", { className: "no-image" }) : made("img", { src: url, alt: "", loading: "lazy" });
        image.addEventListener("error", () => image.replaceWith(made("span", { className: "no-image" })));
        const button = made("button", { type: "button", title: key }, image, made("bdi", {}, key));
        button.addEventListener("click", () => {
            $("key").value = key;
            dialog.close();
            update();
        });
        return made("li", {}, button);
    }

    function turn(step) {
        page += step;
        list();
    }

    $("browse").addEventListener("click", () => {
        page = 0;
        dialog.showModal();
        list();
    });
    $("originals-close").addEventListener("click", () => dialog.close());
    $("previous").addEventListener("click", () => turn(-1));
    $("next").addEventListener("click", () => turn(1));
    $("prefix").addEventListener("input", () => {
        page = 0;
        clearTimeout(wait);
        wait = setTimeout(list, DELAY * 2);
    });
    dialog.addEventListener("close", () => listing.abort());
}

/** The first original of the storage, so that the page begins with a picture. */
async function firstOriginal() {
    const option = $("storage").selectedOptions[0];
    if (option?.dataset.listable !== "yes") {
        return "";
    }
    const answer = await fetch(`${ORIGINALS}?${new URLSearchParams({ storage: option.value, prefix: "", page: 0 })}`);
    const found = answer.ok ? await answer.json() : { originals: [] };
    return found.originals[0]?.key ?? "";
}

// ------------------------------------------------------------------------------------------ common

function made(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
}

function bytes(count) {
    return count < 1024 ? `${count} B` : count < 1024 * 1024 ? `${(count / 1024).toFixed(1)} KB` : `${(count / 1048576).toFixed(2)} MB`;
}

const milliseconds = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

let toasting = 0;

function toast(text) {
    $("copied").textContent = text;
    clearTimeout(toasting);
    toasting = setTimeout(() => ($("copied").textContent = ""), 4000);
}

async function copy(source) {
    const text = source.value ?? source.textContent;
    try {
        await navigator.clipboard.writeText(source.id === "url" && text !== "" ? new URL(text, location.origin).href : text);
        toast("Copied.");
    } catch { // not over plain HTTP from another machine
        const range = document.createRange();
        if (source.select) {
            source.select();
        } else {
            range.selectNodeContents(source);
            getSelection().removeAllRanges();
            getSelection().addRange(range);
        }
        toast(document.execCommand("copy") ? "Copied." : "Press Ctrl+C to copy what is selected.");
    }
}

/** The size and the filters that a storage begins with, if it offers only some. */
function begins(option) {
    const [width, height] = (option?.dataset.size ?? "x").split("x");
    $("width").value = width;
    $("height").value = height;
    filters.forEach((filter) => filter.reset());
    for (const text of (option?.dataset.filters ?? "").split(";").filter(Boolean)) {
        const [, name, given] = /^([a-z_]+)(?:\((.*)\))?$/.exec(text) ?? [];
        const filter = filterOf(name);
        if (filter !== undefined) {
            filter.arguments = given ?? "";
            filter.on = true;
        }
    }
}

async function start() {
    filters.forEach((filter) => filter.show());
    $("controls").addEventListener("submit", (event) => event.preventDefault());
    onInput($("controls"), schedule);
    filters.forEach((filter) =>
        filter.switch.addEventListener("change", async () => {
            schedule();
            if (filter.on) {
                await begin(filter);
                schedule();
            }
        }),
    );
    $("key").addEventListener("input", schedule);
    $("url").addEventListener("change", () => update({ typed: $("url").value }));
    $("reset").addEventListener("click", () => {
        begins($("storage").selectedOptions[0]);
        schedule();
    });
    $("formats").addEventListener("toggle", formats);
    document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", () => copy($(button.dataset.copy))));
    const [firstTool] = document.querySelectorAll("[name=tool]");
    const inPercent = filters.find(({ drawn, unit }) => drawn === "box" && unit === "%");
    const chosen = document.querySelector(`[name=tool][value="${inPercent?.name ?? ""}"]`) ?? firstTool;
    if (chosen !== undefined) {
        chosen.checked = true;
    }
    dragging();
    browsing();
    $("storage").addEventListener("change", async () => {
        begins($("storage").selectedOptions[0]);
        $("key").value = await firstOriginal();
        update();
    });
    const given = new URLSearchParams(location.search);
    begins($("storage").selectedOptions[0]);
    if (given.get("key")) {
        const calls = (given.get("filters") ?? "").split(";").map((text) => /^([a-z_]+)(?:\((.*)\))?$/.exec(text));
        const known = calls.filter((call) => call !== null && filterOf(call[1]) !== undefined);
        const parts = { storage: given.get("storage") ?? "", key: given.get("key"), size: given.get("size") ?? "x", name: given.get("name") ?? "" };
        apply({ ...parts, filters: known.map(([, name, text]) => [name, text ?? ""]) });
    } else {
        $("key").value = await firstOriginal();
    }
    await update();
    document.documentElement.dataset.ready = "yes";
}

start();
