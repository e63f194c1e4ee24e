import { byId, byIdOf, element } from "../dom";
import { type Child, type Index, type Moment, type Scenario, serviceOf } from "./service";

/** What is looked at: a scenario, and the child and moment that it is shown as; without them, one of the whole list. */
export interface Choice {
  readonly scenario: Scenario;
  readonly child?: Child;
  readonly moment?: Moment;
  readonly proves: string;
}

/** Lets somebody choose a child and a moment, or any scenario; `chosen` is told each time. */
export class Picker {
  readonly #children: readonly Child[];
  readonly #wide = matchMedia("(min-width: 62rem)");
  #isByPointer = false;

  constructor(
    readonly index: Index,
    readonly chosen: (choice: Choice) => void,
  ) {
    this.#children = index.groups.flatMap((group) => group.children);
    byId("children").replaceChildren(...index.groups.map((group) => this.#group(group.name, group.children)));
    this.#offerAllScenarios();
    this.#showOpenWhereThereIsRoom();
  }

  /** Show a scenario as chosen, and tell so. The name may come from the address bar: an unknown one is the first. */
  choose(name: string): void {
    const choice = this.#choiceOf(name) ?? this.#choiceOf(this.index.opensOn);
    if (choice === undefined) throw new Error("the service names no scenario to begin with; see fhir_fixtures/sandbox.yaml");
    this.#mark(choice);
    this.chosen(choice);
  }

  #choiceOf(name: string): Choice | undefined {
    const listed = this.index.scenarios.find((scenario) => scenario.name === name);
    if (listed === undefined) return undefined;
    for (const child of this.#children) {
      const moment = child.moments.find((one) => one.name === name);
      if (moment !== undefined) return { scenario: moment, child, moment, proves: listed.proves };
    }
    return { scenario: listed, proves: listed.proves };
  }

  #mark({ scenario, child }: Choice): void {
    byId("chosen-child").textContent = child?.name ?? scenario.name;
    for (const option of byId("children").querySelectorAll("input")) {
      option.checked = this.#children[Number(option.value)] === child;
    }
    byId("moments").replaceChildren(...(child ? [this.#moments(child, scenario.name)] : []));
    if (child === undefined) {
      byIdOf("all-scenarios", HTMLDetailsElement).open = true;
      this.#offerScenariosOf(serviceOf(scenario.name), scenario.name);
    }
  }

  #group(name: string, children: readonly Child[]): HTMLElement {
    const group = element("fieldset", {}, element("legend", {}, name));
    for (const child of children) {
      const option = element("input", { type: "radio", name: "child", value: String(this.#children.indexOf(child)) });
      option.addEventListener("change", () => this.#open(child));
      const label = element("label", { class: "child" }, option);
      label.addEventListener("pointerup", () => (this.#isByPointer = true));
      label.append(
        element("span", { class: "child-name" }, child.name),
        element("span", { class: "child-story" }, child.story),
      );
      group.append(label);
    }
    return group;
  }

  #open(child: Child): void {
    const begin = child.moments.find((moment) => moment.name === this.index.opensOn) ?? child.moments[0];
    if (begin) this.choose(begin.name);
    this.#leaveTheListOnAPhone();
  }

  /** A finger has chosen: on to the moments. Who goes through the list with arrow keys stays in it. */
  #leaveTheListOnAPhone(): void {
    if (this.#isByPointer && !this.#wide.matches) {
      byIdOf("choice-of-child", HTMLDetailsElement).open = false;
      byId("moments").querySelector<HTMLElement>("input:checked")?.focus({ preventScroll: true });
      byId("moments").scrollIntoView();
    }
    this.#isByPointer = false;
  }

  #moments(child: Child, chosen: string): HTMLElement {
    const group = element("fieldset", {}, element("legend", {}, "Moment"));
    for (const moment of child.moments) {
      const option = element("input", { type: "radio", name: "moment", value: moment.name });
      option.checked = moment.name === chosen;
      option.addEventListener("change", () => this.#tell(moment.name));
      group.append(element("label", { class: "moment" }, option, element("span", {}, moment.moment)));
    }
    return group;
  }

  /** The moments stay as they are, so that the one with the focus keeps it. */
  #tell(name: string): void {
    const choice = this.#choiceOf(name);
    if (choice) this.chosen(choice);
  }

  #offerAllScenarios(): void {
    const service = byIdOf("service", HTMLSelectElement);
    const scenario = byIdOf("scenario", HTMLSelectElement);
    const services = [...new Set(this.index.scenarios.map(({ name }) => serviceOf(name)))];
    service.replaceChildren(...services.map((name) => element("option", { value: name }, name)));
    service.addEventListener("change", () => this.#offerScenariosOf(service.value));
    scenario.addEventListener("change", () => this.#tellWhatIsProven());
    byId("show-scenario").addEventListener("click", () => this.choose(scenario.value));
    this.#offerScenariosOf(service.value);
  }

  #offerScenariosOf(service: string, chosen = ""): void {
    byIdOf("service", HTMLSelectElement).value = service;
    const scenario = byIdOf("scenario", HTMLSelectElement);
    const offered = this.index.scenarios.filter(({ name }) => serviceOf(name) === service);
    const options = offered.map(({ name }) => element("option", { value: name }, name.slice(service.length + 1)));
    scenario.replaceChildren(...options);
    if (chosen) scenario.value = chosen;
    this.#tellWhatIsProven();
  }

  #tellWhatIsProven(): void {
    const name = byIdOf("scenario", HTMLSelectElement).value;
    byId("proves").textContent = this.index.scenarios.find((scenario) => scenario.name === name)?.proves ?? "";
  }

  #showOpenWhereThereIsRoom(): void {
    const box = byIdOf("choice-of-child", HTMLDetailsElement);
    box.open = this.#wide.matches;
    this.#wide.addEventListener("change", () => (box.open = this.#wide.matches));
  }
}
