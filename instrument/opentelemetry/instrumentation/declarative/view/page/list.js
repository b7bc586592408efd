// A list of many rows of the same height, of which only the visible ones are elements.

class VirtualList {
  // `row(index)` returns the element of a row; `activate(index)` is called for the current one.
  constructor(element, { height, row, activate, key }) {
    Object.assign(this, { element, height, row, activate, key });
    this.count = 0;
    this.current = -1;
    this.first = this.last = 0;
    this.space = h("div", { class: "list-space" });
    element.replaceChildren(this.space);
    element.classList.add("list");
    element.tabIndex = 0;
    element.addEventListener("scroll", () => this.draw());
    element.addEventListener("keydown", (event) => this.pressed(event));
    element.addEventListener("click", (event) => {
      const found = event.target.closest("[data-row]");
      if (found) this.select(Number(found.dataset.row));
    });
    new ResizeObserver(() => this.draw()).observe(element);
  }

  show(count, { keep = false } = {}) {
    this.count = count;
    this.space.style.height = `${count * this.height}px`;
    if (!keep) {
      this.current = -1;
      this.element.scrollTop = 0;
    }
    this.draw(true);
  }

  draw(always = false) {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / this.height) - 10);
    const last = Math.min(this.count, Math.ceil((scrollTop + clientHeight) / this.height) + 10);
    if (!always && first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    const rows = [];
    for (let index = first; index < last; index++) {
      const row = this.row(index);
      row.dataset.row = index;
      row.classList.add("row");
      if (index === this.current) row.classList.add("current");
      row.style.top = `${index * this.height}px`;
      row.style.height = `${this.height}px`;
      rows.push(row);
    }
    this.space.replaceChildren(...rows);
  }

  select(index, { scroll = false, quiet = false } = {}) {
    if (index < 0 || index >= this.count) return;
    this.current = index;
    const top = index * this.height;
    const { scrollTop, clientHeight } = this.element;
    if (scroll) this.element.scrollTop = top - clientHeight / 3;
    else if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.element.scrollTop = top + this.height - clientHeight;
    this.draw(true);
    if (!quiet) this.activate(index);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.height) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.count, End: this.count };
    if (event.key in steps) {
      event.preventDefault();
      this.select(Math.min(this.count - 1, Math.max(0, this.current + steps[event.key])));
    } else if (this.key && this.current >= 0 && this.key(event.key, this.current)) {
      event.preventDefault();
    }
  }
}
