"""A service with HealthChain 0.16.1 as its documentation shows it: `python -m uvicorn bench.peers.healthchain_app:app`.

A handler for each hook on a `CDSHooksService`, registered with `HealthChainAPI` and served by uvicorn (pages "CDS Hooks
Protocol" and "HealthChainAPI"), reads what was prefetched with `Bundle(**data)` of `healthchain.fhir.r4b` (pages "FHIR
Helpers" and "FHIR basics"). Events and CORS stay on, as they are by default.

HealthChain's request model keeps neither draft orders nor selections, so such a handler cannot see what is being
ordered. `/orders/…` is a second service that does: an own route of the same application, which FastAPI offers, with
HealthChain's model of the hook's context.
"""

from typing import Any

from healthchain.fhir.r4b import Bundle, Patient
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import CDSRequest, CDSResponse
from healthchain.models.hooks.orderselect import OrderSelectContext
from healthchain.models.hooks.ordersign import OrderSignContext
from healthchain.models.responses.cdsresponse import Card

HOOKS = ("order-select", "order-sign", "patient-view")
CONTEXTS = {"order-select": OrderSelectContext, "order-sign": OrderSignContext}
READ = {"Bundle": Bundle, "Patient": Patient}

app = HealthChainAPI(title="Synthetic CDS service")
cds = CDSHooksService()


def answer(request: CDSRequest) -> CDSResponse:
    """A card, once everything prefetched is read by HealthChain's models; without any prefetch no card.

    HealthChain answers with no cards as well where a handler fails. The card proves that nothing was refused.
    """
    read = [READ[data["resourceType"]](**data) for data in (request.prefetch or {}).values()]
    return CDSResponse(cards=[card_about(len(read))] if read else [])


def card_about(resources: int) -> Card:
    """The card that says how much was read."""
    return Card(summary=f"{resources} read", indicator="info", source={"label": "Synthetic CDS service"})


for hook in HOOKS:
    cds.hook(hook, id=f"onasemnogene-{hook}")(answer)
app.register_service(cds)


@app.post("/orders/cds-services/{service_id}", response_model=CDSResponse, response_model_exclude_none=True)
def answer_to_orders(service_id: str, call: dict[str, Any]) -> CDSResponse:
    """The same, once the draft orders are read as well."""
    context = CONTEXTS[call["hook"]](**call["context"])
    Bundle(**context.draftOrders)
    return answer(CDSRequest(**call))
