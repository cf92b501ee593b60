// <thumbs-focal-point>: a picture to click on, beside the text input of a focal point ("0.31,0.62").
//
// The text input is the form's value; without this script it is all there is. A custom element needs no start: it works
// in rows that Django's admin or any other script adds later. It builds its elements and sets styles from script, so a
// Content-Security-Policy needs `script-src 'self'; style-src 'self'; img-src 'self'` (or the hosts of the files) and no
// more: a chosen file is drawn into a canvas, which needs no `blob:`.
(() => {
    "use strict";

    const NAME = "thumbs-focal-point";
    const STEP = 0.01;
    const LARGE_STEP = 0.1; // with Shift
    const DECIMALS = 4; // as many as the server accepts
    const POINTER_DECIMALS = 3; // half a pixel of the largest picture on the screen
    const CANVAS_SIDE = 960; // pixels: twice the largest side on the screen
    const NUMBER = String.raw`(\d+(?:\.\d*)?|\.\d+)`;
    const POINT = new RegExp(String.raw`^\s*${NUMBER}\s*[,x]\s*${NUMBER}\s*$`);
    const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

    /** The point of a text as [x, y], fractions from the top left; null where it is none. */
    function parsed(text) {
        const match = POINT.exec(text ?? "");
        const point = match && [Number(match[1]), Number(match[2])];
        return point?.every((part) => part <= 1) ? point : null;
    }

    function spelled(x, y, decimals = DECIMALS) {
        return [x, y].map((part) => String(Number(Math.min(1, Math.max(0, part)).toFixed(decimals)))).join(",");
    }

    function made(tag, classes, text = "") {
        const element = document.createElement(tag);
        element.className = classes;
        element.textContent = text;
        return element;
    }

    /** Put a marker at a point. `left` is physical: a picture is not mirrored in a page from right to left. */
    function place(marker, point) {
        marker.hidden = point === null;
        if (point !== null) {
            marker.style.setProperty("left", `${point[0] * 100}%`);
            marker.style.setProperty("top", `${point[1] * 100}%`);
        }
    }

    class FocalPoint extends HTMLElement {
        #input = null;
        #area = null;
        #marker = null;
        #note = null;
        #buttons = [];
        #listening = new AbortController();
        #changed = false;
        #drawings = 0;

        connectedCallback() {
            // A copy of a row has the elements of the original one, without their listeners.
            this.querySelectorAll(":scope > .thumbs-focal").forEach((element) => element.remove());
            this.#input = this.querySelector("input");
            if (this.#input === null) {
                return;
            }
            this.#listening = new AbortController();
            this.#build();
            this.#listen(this.#listening.signal);
            this.#showFile();
            this.#draw();
        }

        disconnectedCallback() {
            this.#listening.abort();
        }

        // ------------------------------------------------------------------------------- elements

        #build() {
            const { label, hint, center, clear } = this.dataset;
            const own = this.#input.labels?.[0]?.textContent.trim().replace(/\s*:$/, "");
            this.#area = made("div", "thumbs-focal-area");
            this.#area.setAttribute("role", "slider");
            this.#area.setAttribute("aria-label", own ? `${own}: ${label}` : label);
            this.#area.setAttribute("aria-valuemin", "0");
            this.#area.setAttribute("aria-valuemax", "100");
            this.#marker = made("span", "thumbs-focal-marker");
            this.#area.append(this.#marker);
            this.#note = made("p", "thumbs-focal-note");
            const help = made("p", "thumbs-focal-hint", hint);
            if (this.#input.id) {
                help.id = `${this.#input.id}_keys`;
                this.#area.setAttribute("aria-describedby", help.id);
            }
            this.#buttons = [center, clear].map((text) => made("button", "thumbs-focal-button", text));
            const row = made("div", "thumbs-focal-buttons");
            row.append(...this.#buttons);
            const all = made("div", "thumbs-focal");
            for (const button of this.#buttons) {
                button.type = "button";
            }
            all.append(this.#area, this.#note, row, help);
            this.append(all);
        }

        #listen(signal) {
            const area = this.#area;
            area.addEventListener("keydown", (event) => this.#key(event), { signal });
            area.addEventListener("pointerdown", (event) => this.#press(event), { signal });
            area.addEventListener("pointermove", (event) => this.#drag(event), { signal });
            area.addEventListener("pointerup", () => this.#settle(), { signal });
            area.addEventListener("pointercancel", () => this.#settle(), { signal });
            area.addEventListener("click", (event) => this.#click(event), { signal });
            this.#buttons[0].addEventListener("click", () => this.#setAndSettle("0.5,0.5"), { signal });
            this.#buttons[1].addEventListener("click", () => this.#setAndSettle(""), { signal });
            this.#input.addEventListener("input", () => this.#draw(), { signal });
            this.#input.addEventListener("change", () => this.#draw(), { signal });
            // Names change when rows are added or removed, so the input of the file is looked up at each event.
            document.addEventListener("change", (event) => event.target === this.#file() && this.#showFile(), { signal });
            // The event comes before the values are those of the page again.
            const restored = () => setTimeout(() => this.isConnected && (this.#showFile(), this.#draw()));
            this.#input.form?.addEventListener("reset", restored, { signal });
        }

        // -------------------------------------------------------------------------------- picture

        /** The input of the picture's file in the same form, or in the same row of a formset. */
        #file() {
            const { name, picture } = this.dataset;
            const own = this.#input.name;
            if (!picture || !name || !own.endsWith(name)) {
                return null;
            }
            const found = this.#input.form?.elements.namedItem(own.slice(0, own.length - name.length) + picture);
            return found instanceof HTMLInputElement && found.type === "file" ? found : null;
        }

        /** Show the file that was chosen, else the picture that the form was loaded with. */
        #showFile() {
            const file = this.#file()?.files[0];
            this.#drawings += 1;
            if (file) {
                this.#drawFile(file, this.#drawings);
            } else if (this.dataset.src) {
                this.#showPicture();
            } else {
                this.#show(null, this.dataset.empty);
            }
        }

        #showPicture() {
            const image = made("img", "thumbs-focal-picture");
            image.alt = "";
            image.draggable = false;
            image.decoding = "async";
            image.addEventListener("error", () => image.isConnected && this.#show(null, this.dataset.broken));
            image.src = this.dataset.src;
            this.#show(image);
        }

        async #drawFile(file, drawing) {
            let bitmap = null;
            try {
                bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
            } catch {
                // Not a picture, or of a format that the browser does not know.
            }
            if (drawing === this.#drawings) {
                this.#show(bitmap && drawn(bitmap), this.dataset.broken);
            }
            bitmap?.close();
        }

        #show(picture, note = "") {
            this.#area.querySelector(".thumbs-focal-picture")?.remove();
            this.#area.hidden = picture === null;
            this.#note.hidden = picture !== null;
            this.#note.textContent = picture === null ? note : "";
            if (picture !== null) {
                this.#area.prepend(picture);
            }
        }

        // ---------------------------------------------------------------------------------- value

        get #isFixed() {
            return this.#input.readOnly || this.#input.matches(":disabled");
        }

        #set(text) {
            if (this.#isFixed || text === this.#input.value) {
                return;
            }
            this.#input.value = text;
            this.#changed = true;
            this.#input.dispatchEvent(new Event("input", { bubbles: true }));
        }

        #settle() {
            if (this.#changed) {
                this.#changed = false;
                this.#input.dispatchEvent(new Event("change", { bubbles: true }));
            }
        }

        #setAndSettle(text) {
            this.#set(text);
            this.#settle();
        }

        #draw() {
            const point = parsed(this.#input.value);
            const [x, y] = (point ?? [0.5, 0.5]).map((part) => Math.round(part * 100));
            const { at, none } = this.dataset;
            place(this.#marker, point);
            this.#area.setAttribute("aria-valuenow", String(x));
            this.#area.setAttribute("aria-valuetext", point ? at.replace("{x}", x).replace("{y}", y) : none);
            this.#area.tabIndex = this.#isFixed ? -1 : 0;
            this.#area.setAttribute("aria-disabled", String(this.#isFixed));
            for (const button of this.#buttons) {
                button.disabled = this.#isFixed;
            }
        }

        // --------------------------------------------------------------------------------- events

        #key(event) {
            if (event.altKey || event.ctrlKey || event.metaKey || this.#isFixed) {
                return;
            }
            const direction = DIRECTIONS[event.key];
            if (direction) {
                const step = event.shiftKey ? LARGE_STEP : STEP;
                const [x, y] = parsed(this.#input.value) ?? [0.5, 0.5];
                this.#setAndSettle(spelled(x + direction[0] * step, y + direction[1] * step));
            } else if (event.key === "Home") {
                this.#setAndSettle("0.5,0.5");
            } else if (event.key === "Delete" || event.key === "Backspace") {
                this.#setAndSettle("");
            } else {
                return;
            }
            event.preventDefault();
        }

        #press(event) {
            // A touch of the picture may be the start of scrolling; the marker can be dragged by touch as well.
            const drags = event.pointerType !== "touch" || event.target === this.#marker;
            if (event.button === 0 && drags && !this.#isFixed) {
                this.#area.setPointerCapture(event.pointerId);
                this.#setAt(event);
            }
        }

        #drag(event) {
            if (this.#area.hasPointerCapture(event.pointerId)) {
                this.#setAt(event);
            }
        }

        #click(event) {
            // An assistive technology clicks without a position, which is a detail of 0.
            if (event.detail > 0) {
                this.#setAt(event);
                this.#settle();
            }
        }

        #setAt(event) {
            const box = this.#area.getBoundingClientRect();
            if (box.width > 0 && box.height > 0) {
                const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
                this.#set(spelled(x, y, POINTER_DECIMALS));
            }
        }
    }

    /** The pixels of a bitmap in a canvas, upright, not larger than a screen needs. */
    function drawn(bitmap) {
        const scale = Math.min(1, CANVAS_SIDE / Math.max(bitmap.width, bitmap.height));
        const canvas = made("canvas", "thumbs-focal-picture");
        canvas.width = Math.max(1, Math.round(bitmap.width * scale));
        canvas.height = Math.max(1, Math.round(bitmap.height * scale));
        canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
        return canvas;
    }

    /** A preview that only shows where the focal point is. */
    class FocusShown extends HTMLElement {
        connectedCallback() {
            this.querySelector(".thumbs-focal-marker")?.remove();
            const marker = made("span", "thumbs-focal-marker");
            place(marker, parsed(this.dataset.focus));
            this.append(marker);
        }
    }

    if (!customElements.get(NAME)) {
        customElements.define(NAME, FocalPoint);
        customElements.define("thumbs-focus-shown", FocusShown);
    }
})();
