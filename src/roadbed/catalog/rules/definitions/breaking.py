"""The rules by which a change of a definition breaks clients, each with its reason."""

from dataclasses import dataclass
from enum import StrEnum


class Impact(StrEnum):
    BREAKING = "breaking"
    RISKY = "risky"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Rule:
    code: str
    impact: Impact
    reason: str


def _rules(impact: Impact, reasons: dict[str, str]) -> dict[str, Rule]:
    return {code: Rule(code, impact, reason) for code, reason in reasons.items()}


RULES: dict[str, Rule] = {
    **_rules(
        Impact.BREAKING,
        {
            "element-removed": "Who calls it or listens to it gets nothing any more.",
            "body-removed": "Clients that send it are refused or not understood.",
            "response-removed": "Clients that read it wait for something that does not come.",
            "message-removed": "Who sends or awaits this message is not understood any more.",
            "type-removed": "Clients name this type.",
            "input-removed": "What clients send there is not known any more.",
            "output-removed": "Clients that read it do not find it any more.",
            "required-input-added": "Clients of before do not send it.",
            "input-became-required": "Clients of before may leave it out.",
            "output-became-optional": "Clients of before rely on it being there.",
            "type-changed": "Clients of before send or read the other type.",
            "input-not-nullable": "Clients of before may send null.",
            "output-nullable": "Clients of before do not expect null.",
            "input-value-removed": "Clients of before may send it.",
            "input-limited": "Values that were allowed before are refused.",
            "field-number-changed": "The number is what travels: readers take the field for another one.",
            "contract-changed": "Clients rely on how it was.",
            "input-variant-removed": "Clients of before may send this form.",
            "base-removed": "Clients may rely on all that it brought.",
        },
    ),
    **_rules(
        Impact.RISKY,
        {
            "output-value-added": "Clients that know the old values only meet one they do not know.",
            "output-variant-added": "Clients that know the old forms only meet one they do not know.",
            "output-message-added": "Who listens meets a message it does not know.",
            "output-unlimited": "Clients may rely on the limit.",
            "default-changed": "Clients that leave it out get another behaviour.",
            "sign-in-changed": "Clients may have to sign in another way.",
            "base-added": "What it demands may not be sent by clients of before.",
        },
    ),
    **_rules(
        Impact.SAFE,
        {
            "element-added": "", "body-added": "", "response-added": "", "error-removed": "", "type-added": "",
            "schema-removed": "", "input-added": "", "output-added": "", "input-became-optional": "",
            "output-became-required": "", "input-nullable": "", "output-not-nullable": "", "input-value-added": "",
            "output-value-removed": "", "input-unlimited": "", "output-limited": "", "deprecated": "",
            "not-deprecated": "", "type-widened": "", "input-variant-added": "", "output-variant-removed": "",
            "input-message-added": "", "fact-changed": "", "unused-changed": "",
        },
    ),
}  # fmt: skip
