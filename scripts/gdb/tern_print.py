# SPDX-License-Identifier: Apache-2.0
"""How gdb prints addresses, signals, agents, lcores and lists of agents. For tern.py."""
import itertools

import gdb

from tern_read import (C, FAULTS, address_text, agent_line, bit_names, cell, follow, lcore_phase,
                       lcore_running_text, list_lcore, signal_line)

COUNTED_MAX = 1000  # agents of a list that does not know how many it has


class AddressPrinter:
    """tern_address as NODE.SLOT.GENERATION."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        return cell(lambda: address_text(int(self.value)))


class SignalPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return signal_line(self.value)


class AgentPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return agent_line(self.value)


class LcorePrinter:
    """The counters and lists of an lcore; `print/r` shows all of it."""

    COUNTERS = ["accepted", "settled"]
    TURNS = ["turns", "idle_turns", "handled", "in_place", "queued"]

    def __init__(self, value):
        self.value = value

    def to_string(self):
        lcore = self.value
        return "lcore %s, %s, runs %s, holds %s" % (
            cell(lambda: int(lcore["index"])), cell(lcore_phase, lcore),
            cell(lcore_running_text, lcore),
            cell(lambda: bit_names(
                {n: b for n, b in C.items() if n.startswith("TERN_HOLD_")}, "TERN_HOLD_",
                int(lcore["turn"]["hold"]))))

    def children(self):
        lcore = self.value
        for name in self.COUNTERS:
            yield name, lcore["signals"][name]
        yield "in_turn", lcore["turn"]["is_on"]
        for name in self.TURNS:
            yield name, lcore["stats"][name]
        levels = lcore["ready"]["levels"]
        for level in range(levels.type.range()[1] + 1):
            # Of what is nothing, nothing is said.
            if cell(lambda: int(levels[level]["head"])) != str(C["TERN_SLOT_NONE"]):
                yield f"ready[{level}]", levels[level]
        yield "waiting", lcore["ready"]["waiting"]
        yield "finishing", lcore["pending"]["finishing"]
        yield "shorts", lcore["mail"]["shorts"]


def agents_text(count):
    return f"{count} agent" if count == "1" else f"{count} agents"


class ListPrinter:
    """A list of agents: they are its children."""

    def __init__(self, value):
        self.value = value
        self.lcore, self.which = list_lcore(value, self.members())

    def children(self):
        if self.lcore is None:
            return
        try:
            for i, agent in enumerate(self.agents()):
                yield f"[{i}]", agent
        except FAULTS:
            yield "[...]", "<unreadable>"


class SlotListPrinter(ListPrinter):
    """struct tern_slot_list: linked through the reserves of its agents."""

    LINKS = ["TERN_SLOTS_FINISHING", "TERN_SLOTS_SHORT", "TERN_SLOTS_RETRYING"]

    def members(self):
        return [lambda lcore: lcore["pending"]["finishing"], lambda lcore: lcore["mail"]["shorts"],
                lambda lcore: lcore["waiters"]["retrying"]]

    def to_string(self):
        count = cell(lambda: int(self.value["count"]))
        return agents_text(count) + (", of no lcore" if self.lcore is None else "")

    def agents(self):
        link = int(gdb.parse_and_eval(self.LINKS[self.which]))
        reserves = self.lcore["reserves"]
        return follow(self.lcore, int(self.value["head"]), 0,
                      lambda slot, agent: int(reserves[slot]["links"][link]["next"]))


class ReadyListPrinter(ListPrinter):
    """struct tern_ready_list: linked through its agents."""

    def members(self):
        levels = gdb.lookup_type("struct tern_ready")["levels"].type.range()[1] + 1
        return [lambda lcore: lcore["ready"]["waiting"]] + [
            lambda lcore, i=i: lcore["ready"]["levels"][i] for i in range(levels)]

    def to_string(self):
        if self.lcore is None:
            return "from slot %s, of no lcore" % cell(lambda: int(self.value["head"]))
        first = itertools.islice(self.agents(), COUNTED_MAX + 1)
        count = cell(lambda: sum(isinstance(agent, gdb.Value) for agent in first))
        more = count == str(COUNTED_MAX + 1)
        return agents_text(f"more than {COUNTED_MAX}" if more else count)

    def agents(self):
        tail = int(self.value["tail"])
        none = C["TERN_SLOT_NONE"]
        return follow(self.lcore, int(self.value["head"]), none,
                      lambda slot, agent: none if slot == tail else int(agent["ready_next"]))


PRINTERS = {
    "tern_address": AddressPrinter, "tern_signal": SignalPrinter, "tern_agent": AgentPrinter,
    "tern_lcore": LcorePrinter, "tern_slot_list": SlotListPrinter,
    "tern_ready_list": ReadyListPrinter,
}


class Printers:
    """What gdb asks for a printer of a value: by the name of its type, a typedef's included."""

    name = "tern"
    enabled = True

    def __call__(self, value):
        printer = PRINTERS.get(value.type.unqualified().name)
        if printer is None:
            printer = PRINTERS.get(value.type.strip_typedefs().unqualified().name)
        return printer(value) if printer else None
