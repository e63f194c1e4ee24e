// The page where an EHR opens the app: asks the EHR's authorization server, with PKCE, and comes back at /app/.
import { AppAdapter } from "../smart/app_adapter";
import { inThisTab } from "../smart/handover";
import { messageOf, one, show } from "../page_parts";

// The server has put these into the page after it has checked where the chart is; without them there is nothing to ask.
const launched = document.querySelector<HTMLElement>("#launch");
if (launched !== null) void launch(launched);

async function launch(page: HTMLElement): Promise<void> {
  const { iss = "", launch = "", clientId = "", scopes = "" } = page.dataset;
  const isFromChart = launch !== "";
  try {
    sessionStorage.clear();
    await new AppAdapter({ iss, launch }, inThisTab).getSmartApi().authorize({
      clientId,
      scope: `${isFromChart ? "launch" : "launch/patient"} openid fhirUser ${scopes}`,
      redirectUri: new URL("./", location.href).href,
      pkceMode: "required",
      completeInTarget: true,
    });
  } catch (error) {
    one("[data-slot=reason]", page).textContent = messageOf(error);
    show("refused", page);
  }
}
