"""Recognising the product in an order, a dose given or a procedure: by code first, by name second (ruling 54).

Everything is prepared once, because this is the gate that every order of every patient passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cds_service.domain.codes import CodeBook
from cds_service.domain.facts import Suffix
from cds_service.domain.product_code import LABELER, in_table_spelling, is_of_labeler, is_of_product
from cds_service.errors import ContentProblem
from cds_service.fhir.json_shapes import (
    JsonObject,
    codings,
    concept_texts,
    is_illegible_coding,
    objects,
    text,
    values,
)
from cds_service.fhir.references import own_reference, plain_reference

THIS_PRODUCT = frozenset({"zolgensma", "zolgensma_kit", "zolgensma_vial"})
INGREDIENT = "onasemnogene_any"
ROUTES = frozenset({"intravenous", "intrathecal", "intramuscular", "subcutaneous", "oral"})
STEROIDS = frozenset(
    {
        "prednisolone", "prednisone", "methylprednisolone", "hydrocortisone", "dexamethasone", "betamethasone",
        "cortisone", "triamcinolone", "deflazacort", "vamorolone",
    }
)  # fmt: skip
# A code stands for one of them; of several that are named, the one that matters most counts.
VACCINES = (
    "vaccine_mmr",
    "vaccine_varicella",
    "vaccine_rotavirus",
    "vaccine_influenza_live",
    "vaccine_other_live",
    "vaccine_influenza_inactivated",
    "vaccine_other",
)
_CLAUSES = re.compile(r"[,;:.\n]|\b(?:and|but|however|now|with)\b", re.IGNORECASE)
# Whose words tell that an order may concern us: the product, a corticosteroid, a vaccine.
_TELLING = (
    "product_brand", "product_name", "intrathecal_product", "product_ingredient", "steroid_name",
    "vaccine_mmr_name", "vaccine_varicella_name", "vaccine_other_live_name", "vaccine_word",
)  # fmt: skip
# Whose codes tell so. A code of anything else, such as a blood count, tells no more than one that nobody knows.
_TELLING_CONCEPTS = THIS_PRODUCT | {INGREDIENT} | STEROIDS | set(VACCINES)
_PRODUCT_NAMES = ("product_brand", "product_name", "intrathecal_product", "product_ingredient")


class Named(Enum):
    """What a medication turns out to be."""

    THIS_PRODUCT = "this product"
    INTRATHECAL_PRODUCT = "the intrathecal product"
    INGREDIENT_ONLY = "the shared ingredient"
    SOMETHING_ELSE = "something else"


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medication as far as this service tells medications apart. `names` are as written."""

    named: Named
    suffix: Suffix
    kit_codes: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def is_ours(self) -> bool:
        """Whether an order for it concerns this service: the product, or what may be the product."""
        return self.named in (Named.THIS_PRODUCT, Named.INGREDIENT_ONLY)


_NO_CONCEPT: frozenset[str] = frozenset()
_SOMETHING_ELSE = Medicine(Named.SOMETHING_ELSE, Suffix.NOT_STATED, (), ())


@dataclass(frozen=True, slots=True)
class Recognition:
    """The prepared code lists and names. `words` are texts recognised in records, by the name of their list."""

    codes: CodeBook
    words: Mapping[str, frozenset[str]]
    patterns: Mapping[str, re.Pattern[str]]
    names: tuple[str, ...]
    telling: tuple[str, ...]
    product: re.Pattern[str]
    intrathecal: re.Pattern[str]
    ingredient: re.Pattern[str]
    push_or_bolus: re.Pattern[str]
    routes: Mapping[str, re.Pattern[str]]

    @classmethod
    def of(cls, codes: CodeBook, names: Mapping[str, tuple[str, ...]]) -> Recognition:
        """Prepared from the card files' code lists and names."""
        _require_all(codes, names)
        return cls(
            codes=codes,
            words={name: frozenset(text.lower() for text in texts) for name, texts in names.items()},
            patterns={name: _any_of(texts) for name, texts in names.items()},
            names=tuple(name.lower() for part in _PRODUCT_NAMES for name in names[part]),
            telling=_shortest({word.lower() for part in _TELLING for word in names[part]}),
            product=_any_of((*names["product_brand"], *names["product_name"])),
            intrathecal=_any_of(names["intrathecal_product"]),
            ingredient=_any_of(names["product_ingredient"]),
            push_or_bolus=_any_of(names["push_or_bolus"]),
            routes={route: _any_of(names[f"route_{route}"]) for route in ("intravenous", "intrathecal", "other")},
        )

    def tells_nothing(self, concepts: Iterable[JsonObject], written: Iterable[str]) -> bool:
        """Whether these surely name neither the product nor a corticosteroid nor a vaccine, by code or by word.

        A quick look before the exact ones, which it never contradicts: nearly all orders of all patients end here.
        """
        texts = list(written)
        for concept in concepts:
            texts.append(text(concept.get("text")))
            for coding in objects(concept.get("coding")):
                if self._may_tell(coding):
                    return False
                texts.append(text(coding.get("display")))
        said = " ".join(" | ".join(texts).lower().split())
        return not _holds_one_of(self.telling, said)

    def _may_tell(self, coding: JsonObject) -> bool:
        """Whether a code is one that tells, of our labeler, of vaccines alone, or in no shape to be looked up."""
        code = coding.get("code")
        if not isinstance(code, str):
            return code is not None
        system = text(coding.get("system"))
        entry = self.codes.look_up(system, code)
        is_telling = entry is not None and (entry[0] in _TELLING_CONCEPTS or bool(entry[1].kit_ndc))
        return is_telling or LABELER in code or self.codes.is_system(system, "CVX")

    def medicine_of(self, resource: JsonObject, medications: Mapping[str, JsonObject]) -> Medicine:
        """What a resource with a `medication[x]` element is about.

        A reference is resolved in the resource's contained resources, then among `medications`; one that cannot
        be resolved is known by its display only.
        """
        concepts, written = stated(resource, medications)
        return self.medicine(concepts, written)

    def is_nameless(self, resource: JsonObject, medications: Mapping[str, JsonObject]) -> bool:
        """Whether nothing says what the medication is: no code that can be read with its system, no name, and a
        reference that leads nowhere.
        """
        concepts, written = stated(resource, medications)
        return not any(written) and not concept_texts(concepts) and not any(map(self._is_code, codings(concepts)))

    def _is_code(self, coding: JsonObject) -> bool:
        """Whether a coding holds a code: text, or a number in its place that a list knows."""
        if self.codes.look_up(coding.get("system"), _code_of(coding)) is not None:
            return True
        return bool(text(coding.get("code"))) and not is_illegible_coding(coding)

    def medicine(self, concepts: list[JsonObject], written: Sequence[str] = ()) -> Medicine:
        """What these CodeableConcepts and names, taken together, are."""
        found: set[str] = set()
        kit_codes: list[str] = []
        names = list(written)
        for concept in concepts:
            names.append(text(concept.get("text")))
            for coding in objects(concept.get("coding")):
                names.append(text(coding.get("display")))
                self._look_at(coding, found, kit_codes)
        said = " ".join(" | ".join(names).lower().split())
        if not found and not kit_codes and not _holds_one_of(self.names, said):
            return _SOMETHING_ELSE
        return self._named(found, tuple(dict.fromkeys(kit_codes)), said, tuple(dict.fromkeys(filter(None, names))))

    def _look_at(self, coding: JsonObject, found: set[str], kit_codes: list[str]) -> None:
        """Add the concept a coding stands for, and its package code if it is one."""
        system, code = text(coding.get("system")), _code_of(coding)
        entry = self.codes.look_up(system, code)
        if entry is not None:
            found.add(entry[0])
            if entry[1].kit_ndc:
                kit_codes.append(entry[1].kit_ndc)
        if not system or self.codes.is_system(system, "NDC"):
            package = in_table_spelling(code)
            if system or is_of_labeler(package):
                kit_codes.append(package)

    def _named(self, found: set[str], kit_codes: tuple[str, ...], said: str, names: tuple[str, ...]) -> Medicine:
        is_this = bool(found & THIS_PRODUCT) or any(map(is_of_product, kit_codes))
        is_this = is_this or self.product.search(said) is not None
        is_intrathecal = self.intrathecal.search(said) is not None
        if is_this:
            suffix = Suffix.INTRATHECAL_PRODUCT if is_intrathecal else Suffix.THIS_PRODUCT
            return Medicine(Named.THIS_PRODUCT, suffix, kit_codes, names)
        if is_intrathecal:
            return Medicine(Named.INTRATHECAL_PRODUCT, Suffix.INTRATHECAL_PRODUCT, kit_codes, names)
        if INGREDIENT in found or self.ingredient.search(said):
            return Medicine(Named.INGREDIENT_ONLY, Suffix.NOT_STATED, kit_codes, names)
        return _SOMETHING_ELSE

    def concept_of(self, *concepts: object) -> frozenset[str]:
        """Every concept that any coding of these CodeableConcepts stands for."""
        look_up = self.codes.look_up
        every = codings(concepts[0] if len(concepts) == 1 else _flat(concepts))
        found = [entry[0] for c in every if (entry := look_up(c.get("system"), _code_of(c))) is not None]
        return frozenset(found) if found else _NO_CONCEPT

    def routes_in(self, texts: Iterable[str]) -> frozenset[str]:
        """The routes whose words stand in these texts: intravenous, intrathecal, other."""
        named = {route for route, words in self.routes.items() if any(words.search(said) for said in texts)}
        return frozenset(named | ({"intrathecal"} if self.says("route_intrathecal_alone", texts) else set()))

    def says(self, list_name: str, texts: Iterable[str]) -> bool:
        """Whether one of the texts, as a whole and apart from case and a final stop, is in the list."""
        return any(said.lower().rstrip(". ") in self.words[list_name] for said in texts)

    def holds(self, list_name: str, said: str) -> bool:
        """Whether a word of the list stands in the text as a whole word, whatever its case."""
        return self.mentions(list_name, said) and self.patterns[list_name].search(said) is not None

    def affirms(self, list_name: str, said: str, denied_by: tuple[str, ...] = ("denial",)) -> bool:
        """Whether a word of the list stands in the text and no word of `denied_by` before it in the same clause.

        For what may only raise an alarm: "jaundice, not improving" says jaundice.
        """
        if not self.mentions(list_name, said):
            return False
        return any(self._affirms_in(list_name, clause, denied_by) for clause in clauses(said))

    def _affirms_in(self, list_name: str, clause: str, denied_by: tuple[str, ...]) -> bool:
        found = self.patterns[list_name].search(clause)
        return found is not None and not any(self.holds(name, clause[: found.start()]) for name in denied_by)

    def begins_with(self, list_name: str, said: str) -> bool:
        """Whether a word of the list begins the text, whatever its case."""
        return self.patterns[list_name].match(said.strip()) is not None

    def words_in(self, list_name: str, said: str) -> frozenset[str]:
        """The words of the list that stand in the text as whole words, in lower case; of overlapping ones the first."""
        return frozenset(self.patterns[list_name].findall(said.lower()) if self.mentions(list_name, said) else ())

    def mentions(self, list_name: str, said: str) -> bool:
        """Whether a word of the list stands anywhere in the text, also within another word, whatever its case.

        A cheap look before the exact one: every order of every patient passes here, and few hold a word.
        """
        return _holds_one_of(self.words[list_name], said.lower())


def clauses(said: str) -> list[str]:
    """The parts of a text between which a denial does not reach."""
    return _CLAUSES.split(said)


def _code_of(coding: JsonObject) -> str:
    """A coding's code, also where a sender writes it as a number."""
    code = coding.get("code")
    if isinstance(code, str):
        return code.strip()
    return str(code) if isinstance(code, int) and not isinstance(code, bool) else ""


_CONCEPTS = (
    "zolgensma", "zolgensma_kit", "zolgensma_vial", "onasemnogene_any",
    "body_weight", "body_weight_not_for_dosing", "gestational_age", "gestational_age_excluded",
    "smn1_copy_number", "smn1_targeted_analysis", "smn1_smn2_targeted_analysis", "sma_newborn_screen",
    "variant_observation", "smn1_gene", "gene_studied", "copy_number_component", "allelic_state",
    "smn2_copy_number", "smn2_targeted_analysis",
    "spinal_muscular_atrophy", "spinal_muscular_atrophy_related", "not_spinal_muscular_atrophy", "premature_birth",
    "ventilator_dependence", "ventilation_related", "tracheostomy", "tracheostomy_procedure",
    "limb_paralysis", "limb_paralysis_complete",
    "intravenous", "intrathecal", "intramuscular", "subcutaneous", "oral", "route_not_systemic", "route_enteral_tube",
    "alt", "ast", "total_bilirubin", "direct_bilirubin", "albumin", "prothrombin_time", "partial_thromboplastin_time",
    "inr", "creatinine", "hemoglobin", "platelets", "anti_aav9", "body_temperature", "respiratory_pathogen_test",
    "hepatitis_b_surface_antigen", "hepatitis_b_surface_antigen_quantity", "hepatitis_b_dna", "hepatitis_c_rna",
    "neonatal_jaundice", "liver_disease", "hepatic_failure", "acute_viral_hepatitis", "chronic_hepatitis_b",
    "chronic_hepatitis_c", "not_hepatitis_b", "infection", "sign_of_infection", "hiv_infection", "tuberculosis",
    "vomiting", "feeding_intolerance", "rash", "urticaria", "dyspnea", "anaphylaxis",
    "prednisolone", "prednisone", "methylprednisolone", "hydrocortisone", "dexamethasone", "betamethasone",
    "cortisone", "triamcinolone", "deflazacort", "vamorolone", "steroid_not_systemic", "systemic_anti_infective",
    "vaccine_mmr", "vaccine_varicella", "vaccine_rotavirus", "vaccine_influenza_live", "vaccine_other_live",
    "vaccine_influenza_inactivated", "vaccine_other", "rsv_antibody_long_acting", "palivizumab",
    "ldh", "haptoglobin", "troponin_i", "troponin_t", "schistocytes", "systolic_blood_pressure", "urine_output",
    "thrombotic_microangiopathy", "microangiopathic_hemolytic_anemia", "acute_kidney_injury", "hypertension", "seizure",
    "oliguria", "thrombocytopenia", "bruising", "jaundice", "jaundice_of_other_cause", "neoplasm", "benign_neoplasm",
    "panel_hepatic_function", "panel_cmp", "panel_bmp", "panel_renal", "panel_cbc", "panel_pt", "panel_platelets",
    "panel_troponin_i", "panel_urinalysis",
)  # fmt: skip
_WORDS = (
    *_PRODUCT_NAMES, "push_or_bolus", "route_intravenous", "route_intrathecal", "route_intrathecal_alone",
    "route_other", "smn1_biallelic", "smn1_compound_heterozygous", "smn1_second_variant", "smn1_carrier",
    "variant_pathogenic", "newborn_screen_positive", "newborn_screen_negative", "single_timing", "repeating_timing",
    "anti_aav9_name", "not_anti_aav9_name", "test_positive", "test_negative", "no_result_yet", "result_awaited",
    "prophylaxis", "controlled", "not_controlled", "nil_by_mouth", "kit_received", "syringe_drawn", "infusion_visit",
    "steroid_name", "anti_infective_name", "vaccine_word", "vaccine_mmr_name", "vaccine_varicella_name",
    "vaccine_other_live_name", "once_a_day", "twice_a_day", "three_times_a_day", "four_times_a_day",
    "every_other_day", "as_needed", "continuous", "route_not_systemic", "route_systemic_oral", "route_enteral_tube",
    "route_intramuscular", "steroid_depot", "laboratory_test", "immune_globulin", "not_infusion_visit",
    "denial", "follow_up_visit", "sign_encephalopathy", "sign_decreased_alertness", "sign_deterioration",
    "sign_bruising", "sign_jaundice", "sign_seizure", "sign_oliguria", "not_about_now", "past_event",
    "specialty_liver", "specialty_blood", "specialty_kidney", "specialty_heart", "not_consultation",
    "consultation_word", "cardiac_evaluation", "antihypertensive_name", "teaching", "other_teaching",
    "administration_word",
    "smear_present", "smear_absent", "smear_finding", "taper_word", "taper_later",
)  # fmt: skip


def _require_all(codes: CodeBook, names: Mapping[str, tuple[str, ...]]) -> None:
    """Raise ContentProblem where a list that is looked things up in has been lost."""
    lost = [name for name in _CONCEPTS if not codes.concepts.get(name)]
    if lost:
        raise ContentProblem(f"outside/codes: concept {lost[0]} has no codes; restore its file")
    lost = [name for name in _WORDS if not names.get(name)]
    if lost:
        raise ContentProblem(f"outside/names.yaml: {lost[0]} is missing; restore it")


def _flat(concepts: Iterable[object]) -> list[object]:
    return [item for concept in concepts for item in values(concept)]


def _holds_one_of(words: Iterable[str], said: str) -> bool:
    """Whether one of these stands anywhere in a text."""
    # `any` over a generator takes more than twice as long, and every order of every patient passes here.
    for word in words:  # noqa: SIM110
        if word in said:
            return True
    return False


def _shortest(words: Iterable[str]) -> tuple[str, ...]:
    """The words with single blanks, without those that hold another one: who finds none of these finds none at all."""
    plain = {" ".join(word.split()) for word in words}
    return tuple(sorted(word for word in plain if not any(other != word and other in word for other in plain)))


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?<![a-z]){re.escape(name.lower())}(?![a-z])" for name in names), re.IGNORECASE)


def stated(resource: JsonObject, medications: Mapping[str, JsonObject]) -> tuple[list[JsonObject], list[str]]:
    """The CodeableConcepts and the names by which a resource says what its medication is."""
    concepts = objects(resource.get("medicationCodeableConcept"))
    references = objects(resource.get("medicationReference"))
    written = [text(reference.get("display")) for reference in references]
    for reference in references:
        medication = resolved(reference, resource, medications)
        concepts += objects(medication.get("code"))
        for ingredient in objects(medication.get("ingredient")):
            concepts += objects(ingredient.get("itemCodeableConcept"))
            for item in objects(ingredient.get("itemReference")):
                written.append(text(item.get("display")))
                concepts += objects(resolved(item, resource, medications).get("code"))
    return concepts, written


def resolved(reference: JsonObject, holder: JsonObject, medications: Mapping[str, JsonObject]) -> JsonObject:
    """The resource that a reference leads to: contained in its holder, else one of `medications`; {} where none is."""
    name = plain_reference(reference.get("reference"))
    if name.startswith("#"):
        inside = (item for item in objects(holder.get("contained")) if text(item.get("id")).lstrip("#") == name[1:])
        return next(inside, {})
    return medications.get(name, {})


def medications_by_reference(entries: Iterable[tuple[str, JsonObject]]) -> dict[str, JsonObject]:
    """Medication resources by `Type/id` and by the address their Bundle entry gives them."""
    index: dict[str, JsonObject] = {}
    for address, resource in entries:
        if resource.get("resourceType") == "Medication":
            index[own_reference(resource)] = resource
            if address:
                index[plain_reference(address)] = resource
    return index
