"""What the steps of a relay are called while they run."""

from wheelrelay.events import Step

VERBS = {
    Step.STAGE: "fetching and verifying",
    Step.SIGN: "signing",
    Step.PUBLISH: "publishing",
    Step.CONFIRM: "confirming",
}
