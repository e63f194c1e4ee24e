// The words of the page: headings and legends from the server's answer, words of the controls from the page itself.
import type { Course } from "./course";

export class Texts {
  readonly #words: Course["words"];
  readonly #controls: DOMStringMap;

  // `controls` has the words of the controls as `data-…` attributes.
  constructor(course: Course, controls: HTMLElement) {
    this.#words = course.words;
    this.#controls = controls.dataset;
  }

  word(name: string): string {
    const words = this.#words[name];
    return typeof words === "string" ? words : name;
  }

  // The words for one of a kind, such as a phase or a state; its own name where there are none.
  of(kind: string, name: string): string {
    const words = this.#words[kind];
    return typeof words === "object" ? (words[name] ?? name) : name;
  }

  control(name: string): string {
    return this.#controls[name] ?? name;
  }

  // Puts the words into every element that names one.
  fill(within: ParentNode): void {
    for (const element of within.querySelectorAll<HTMLElement>("[data-word]")) {
      element.textContent = this.word(element.dataset["word"] ?? "");
    }
  }
}
