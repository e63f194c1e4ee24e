// The sandbox page: a child and a moment, the request, and the cards as an EHR shows them.
import { byId } from "../dom";
import { Bench } from "../sandbox/bench";
import { Picker } from "../sandbox/picker";
import { DemoService } from "../sandbox/service";

async function begin(): Promise<void> {
  const service = new DemoService(byId("sandbox").dataset["root"] ?? "");
  const bench = new Bench(service);
  const picker = new Picker(await service.index(), (choice) => {
    // Only the scenario's name: it tells which page this is, and nothing of a record.
    history.replaceState(undefined, "", `#${choice.scenario.name}`);
    void bench.show(choice);
  });
  const chooseNamed = (): void => picker.choose(location.hash.slice(1));
  addEventListener("hashchange", chooseNamed);
  chooseNamed();
}

begin().catch((fault: unknown) => {
  byId("fault").replaceChildren(`The page cannot begin: ${fault instanceof Error ? fault.message : String(fault)}`);
});
