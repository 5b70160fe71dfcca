# SPDX-License-Identifier: Apache-2.0
"""Tern inside gdb: printers for agents, addresses, signals and lcores, and the command `tern`.

  gdb -x scripts/gdb/tern.py PROGRAM [CORE]

docs/debugging.md says what there is. Nothing here calls a function of the program or writes to
it, so that all of it works on a core file. Memory may be garbage: what cannot be read is shown as
such, where it would have been.
"""
import importlib
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
writes_none, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # nothing into the sources
for part in ("tern_read", "tern_find", "tern_print"):  # sourced again: as they are now
    if part in sys.modules:
        importlib.reload(sys.modules[part])

from tern_find import choose, engine, engine_of, find_agent, inhabited
from tern_print import Printers
from tern_read import (ASKS, C, FAULTS, FLAGS, address_text, agent_behaviour, agent_flags,
                       agent_function, agent_lcore, agent_name, agent_own_name, agent_queued,
                       agent_room, agent_slot, agent_status, bit_names, cell, enum_name,
                       fiber_text, lcore_phase, lcore_ringed, lcore_running_text,
                       mailbox_signals, ring_signals, ring_waiting, signal_line)

sys.dont_write_bytecode = writes_none


def print_table(head, rows, left):
    """Columns as wide as they must be; the first `left` of them begin at the left."""
    rows = [head] + rows
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        parts = [text.ljust(width) if i < left else text.rjust(width)
                 for i, (text, width) in enumerate(zip(row, widths))]
        print("  ".join(parts).rstrip())


def print_pairs(pairs):
    for label, text in pairs:
        print(f"{label:<10} {text}")


class TernCommand(gdb.Command):
    """Look at a Tern engine: its agents, lcores and mailboxes."""

    def __init__(self):
        super().__init__("tern", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)


class SubCommand(gdb.Command):
    def __init__(self):
        super().__init__("tern " + self.word, gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        try:
            self.show(argument)
        except gdb.GdbError:
            raise
        except FAULTS as fault:
            raise gdb.GdbError(f"tern {self.word}: {fault}")


class EngineCommand(SubCommand):
    """tern engine [EXPRESSION]: look at that engine from now on; alone: say which it is.

EXPRESSION leads to an engine: a pointer to one, to an lcore or to an agent. Without it the frames
of the threads are searched for one, those of the selected thread first."""

    word = "engine"

    def show(self, argument):
        if argument.strip():
            found = engine_of(gdb.parse_and_eval(argument))
            if found is None:
                raise gdb.GdbError(f"{argument} leads to no engine")
            choose(found)
        found = engine()
        state = cell(lambda: enum_name("tern_engine_state", "TERN_ENGINE_",
                                       int(found["state"].dereference())))
        print(f"engine {int(found.address):#x}, {state}, {int(found['lcore_count'])} lcores, "
              f"{cell(lambda: sum(1 for _ in inhabited(found)))} agents and threads")


class AgentsCommand(SubCommand):
    """tern agents [TEXT]: the agents and attached threads that live; with TEXT in their name."""

    word = "agents"
    HEAD = ["ADDRESS", "NAME", "STATUS", "LCORE", "QUEUED", "IN", "OUT"]

    def show(self, argument):
        wanted, rows = argument.strip(), []
        for agent in inhabited(engine()):
            name = cell(agent_name, agent)
            if wanted not in name:
                continue
            rows.append([
                cell(lambda: address_text(int(agent["address"]))), name,
                cell(agent_status, agent), cell(agent_lcore, agent), cell(agent_queued, agent),
                cell(lambda: int(agent["signals_in"])), cell(lambda: int(agent["signals_out"]))])
        print_table(self.HEAD, rows, 3)


class LcoresCommand(SubCommand):
    """tern lcores: the lcores, and the attached threads, which poll one of their own each."""

    word = "lcores"
    HEAD = ["LCORE", "RUNS", "PHASE", "TURNS", "IDLE", "HANDLED", "READY", "RING", "FINISHING",
            "SHORT", "CELLS"]

    def show(self, argument):
        found, rows = engine(), []
        count = int(found["lcore_count"])
        for index in range(int(found["system_count"])):
            if index >= count and not int(found["attached"][index - count]):
                continue
            lcore = found["lcores"][index]
            stats = lcore["stats"]
            rows.append([
                f"{index}" + (" thread" if index >= count else ""),
                cell(lcore_running_text, lcore), cell(lcore_phase, lcore),
                cell(lambda: int(stats["turns"])), cell(lambda: int(stats["idle_turns"])),
                cell(lambda: max(0, int(stats["handled"]) - int(lcore["signals"]["own_handled"]))),
                cell(lambda: int(lcore["ready"]["count"])),
                cell(lcore_ringed, lcore),
                cell(lambda: int(lcore["pending"]["finishing"]["count"])),
                cell(lambda: int(lcore["mail"]["shorts"]["count"])),
                cell(lambda: "%d/%d" % (int(lcore["mail"]["cells"]["used"]),
                                        int(lcore["mail"]["cells"]["count"])))])
        print_table(self.HEAD, rows, 3)


class AgentCommand(SubCommand):
    """tern agent ADDRESS: all about one agent.

ADDRESS is NODE.SLOT.GENERATION as `tern agents` prints it, or an expression: an address, an
agent, a pointer to one."""

    word = "agent"

    def show(self, argument):
        found, agent = find_agent(argument)
        slot = agent_slot(agent)
        address = int(agent["address"])
        room = agent_room(agent)
        print_pairs([
            ("name", cell(agent_own_name, agent) or "none"),
            ("behaviour", cell(agent_behaviour, agent)),
            ("address", f"{address_text(address)}  {address:016x}"),
            ("id", cell(lambda: "%016x%016x" % (int(agent["id"]["high"]),
                                                int(agent["id"]["low"])))),
            ("lcore", cell(agent_lcore, agent)),
            ("status", cell(agent_status, agent)),
            ("flags", cell(agent_flags, agent)),
            ("asked", cell(lambda: bit_names(ASKS, "TERN_ASK_", int(found["asked"][slot]["word"])
                                             & ~((1 << C["TERN_ADDRESS_GENERATION_BITS"]) - 1)))),
            ("priority", cell(lambda: enum_name("tern_priority", "TERN_PRIORITY_",
                                                int(agent["priority"])))),
            ("policy", cell(lambda: enum_name("tern_policy", "TERN_POLICY_",
                                              int(agent["policy"])))),
            ("queued", cell(lambda: "%d in the mailbox%s" % (
                int(agent["mailbox"]["queued"]),
                ", %d in the ring" % ring_waiting(room["ring"]["ring"]) if room else ""))),
            ("in, out", cell(lambda: "%d, %d" % (int(agent["signals_in"]),
                                                 int(agent["signals_out"])))),
            ("function", cell(agent_function, agent)),
            ("state", cell(lambda: agent["state"].format_string()))])
        self.show_rest(agent, room)

    @staticmethod
    def show_rest(agent, room):
        """What only some agents have."""
        if room:
            names = {C[n]: n for n in C if n.startswith("TERN_MAIL_RING_")}
            print_pairs([("ring is", cell(lambda: names[int(room["ring"]["state"])].removeprefix(
                "TERN_MAIL_RING_").lower()))])
        if int(agent["flags"]) & FLAGS["TERN_AGENT_FIBER"]:
            print_pairs([("fiber", cell(fiber_text, agent))])


class MailboxCommand(SubCommand):
    """tern mailbox ADDRESS: the signals that wait for an agent, oldest first.

ADDRESS is as for `tern agent`. Signals that are still in a lane are not among them."""

    word = "mailbox"

    def show(self, argument):
        _, agent = find_agent(argument)
        room = agent_room(agent)
        self.show_queue("in the mailbox", mailbox_signals(agent))
        if room:
            self.show_queue("in the ring", ring_signals(room))

    @staticmethod
    def show_queue(where, signals):
        lines = []
        try:
            for signal in signals:
                lines.append(signal if isinstance(signal, str) else signal_line(signal))
        except FAULTS:
            lines.append("<unreadable>")
        print(f"{len(lines)} {where}")
        for number, line in enumerate(lines):
            print(f"  [{number}] {line}")


class EngineFunction(gdb.Function):
    """$tern_engine(): the engine that the commands of `tern` look at, as a pointer."""

    def __init__(self):
        super().__init__("tern_engine")

    def invoke(self):
        return engine().address


class AgentFunction(gdb.Function):
    """$tern_agent("NODE.SLOT.GENERATION"): the agent of an address, as a pointer."""

    def __init__(self):
        super().__init__("tern_agent")

    def invoke(self, address):
        text = address.type.strip_typedefs().code in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_PTR)
        return find_agent(address.string() if text else str(int(address)))[1].address


def register():
    gdb.pretty_printers[:] = [p for p in gdb.pretty_printers if getattr(p, "name", "") != "tern"]
    gdb.pretty_printers.insert(0, Printers())
    TernCommand()
    for command in (EngineCommand, AgentsCommand, LcoresCommand, AgentCommand, MailboxCommand):
        command()
    EngineFunction()
    AgentFunction()


register()
