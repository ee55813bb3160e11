"""A cluster's list of consumers while nobody leads some of them, before a server that leads all."""

from nats.js.manager import JetStreamManager


def leave_out(monkeypatch, *names, times=None, say_so=True):
    """Of the log's list, so often or always; `say_so` as where the cluster knows of them."""
    ask, left = JetStreamManager._api_request, [times]

    async def answered(js, subject, *request, **options):
        found = await ask(js, subject, *request, **options)
        if subject.endswith("CONSUMER.LIST.PIPELINE") and left[0] != 0:
            if left[0] is not None:
                left[0] -= 1
            every = found["consumers"]
            found["consumers"] = [each for each in every if each["name"] not in names]
            if say_so:
                found["missing"] = [each["name"] for each in every if each["name"] in names]
        return found

    monkeypatch.setattr(JetStreamManager, "_api_request", answered)
