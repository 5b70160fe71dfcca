# SPDX-License-Identifier: Apache-2.0
"""Tern inside gdb: printers for agents, addresses, signals and lcores, and the command `tern`.

  gdb -x scripts/gdb/tern.py PROGRAM [CORE]

docs/debugging.md says what there is. Nothing here calls a function of the program or writes to
it, so that all of it works on a core file. Memory may be garbage: what cannot be read is shown as
such, where it would have been.
"""
import itertools
import re

import gdb

# engine/agent.h; tests/e2e/test_gdb.sh compares these three tables with the headers.
FLAGS = {
    "TERN_AGENT_LISTED": 1, "TERN_AGENT_OVER": 2, "TERN_AGENT_TOLD_OVER": 4,
    "TERN_AGENT_STARTED": 8, "TERN_AGENT_SHY": 16, "TERN_AGENT_PERMIT": 32,
    "TERN_AGENT_WAITING": 64, "TERN_AGENT_FINISHING": 128, "TERN_AGENT_FIBER": 256,
    "TERN_AGENT_FDS": 512, "TERN_AGENT_FAILED": 1024, "TERN_AGENT_MUTE": 2048,
    "TERN_AGENT_ROAMING": 4096, "TERN_AGENT_ADMITTED": 8192, "TERN_AGENT_PARKED": 16384,
    "TERN_AGENT_DUE": 32768, "TERN_AGENT_TIED": 65536, "TERN_AGENT_TELLING": 131072,
    "TERN_AGENT_OFFERS": 262144, "TERN_AGENT_MARKED": 524288, "TERN_AGENT_SHORT": 1048576,
    "TERN_AGENT_REFUSED": 2097152, "TERN_AGENT_STAYS": 4194304, "TERN_AGENT_EXACT": 8388608,
}
# engine/ask.h
ASKS = {
    "TERN_ASK_START": 1 << 24, "TERN_ASK_STOP": 1 << 25, "TERN_ASK_CLOSED": 1 << 26,
    "TERN_ASK_PAUSE": 1 << 27, "TERN_ASK_RESUME": 1 << 28, "TERN_ASK_EVICT": 1 << 29,
    "TERN_ASK_FINISH": 1 << 30, "TERN_ASK_LOOK": 1 << 31,
}
# capabilities/tern_slot.h, tern_address.h; engine/agent.h, lcore.h; engine/queue/
CONSTANTS = {
    "TERN_KIND_ISO": 48, "TERN_KIND_VAL": 49, "TERN_KIND_TAG": 50, "TERN_KIND_MASK": 0x3F,
    "TERN_KIND_TRACED": 0x40, "TERN_KIND_RETURNED": 0x80, "TERN_INLINE_MAX": 40,
    "TERN_ADDRESS_GENERATION_BITS": 24, "TERN_ADDRESS_SLOT_BITS": 26, "TERN_NAME_MAX": 64,
    "TERN_DIR_VACANT": 1 << 25, "TERN_CELL_NONE": 0xFFFFFFFF, "TERN_SLOT_NONE": 0xFFFFFFFF,
    "TERN_ROAM_IDLE": 0, "TERN_ROAM_QUEUED": 1, "TERN_ROAM_RUNNING": 2, "TERN_ROAM_NOTIFIED": 3,
    "TERN_HOLD_LATE": 1, "TERN_HOLD_HIGHER": 2, "TERN_HOLD_POLICY": 4, "TERN_HOLD_GONE": 8,
}
C = CONSTANTS

FRAMES_MAX = 64  # of a thread, that are searched for an engine
SYSTEMS_MAX = 128 + 64  # lcores and places of threads that an engine can have
COUNTED_MAX = 1000  # agents of a list that does not know how many it has
# What reading garbage raises.
FAULTS = (gdb.error, ValueError, OverflowError, TypeError, RuntimeError)


def cell(read, *arguments):
    """What a function reads, as text; where it fails, that it does."""
    try:
        return str(read(*arguments))
    except FAULTS:
        return "<unreadable>"


def memory(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def c_text(address, most):
    """The string at an address: up to its NUL, `most` bytes or the end of what can be read."""
    found = b""
    while len(found) < most and b"\0" not in found:
        piece = min(most - len(found), 64 - (address + len(found)) % 64)
        found += memory(address + len(found), piece)
    text = found.split(b"\0")[0].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)


def enum_name(enum, prefix, number):
    """PAUSED as `paused`: the name of a constant of an enumeration, read from the program."""
    try:
        for field in gdb.lookup_type("enum " + enum).fields():
            if field.enumval == number:
                return field.name.removeprefix(prefix).lower()
    except gdb.error:
        pass
    return f"{number}?"


def bit_names(table, prefix, bits):
    names = [n.removeprefix(prefix).lower() for n, bit in sorted(table.items(), key=lambda x: x[1])
             if bits & bit]
    rest = bits & ~sum(table.values())
    return "|".join(names + ([hex(rest)] if rest else [])) or "none"


def pointer_to(type_name, address):
    return gdb.Value(address).cast(gdb.lookup_type(type_name).pointer())


# Addresses

def address_parts(address):
    slots = (1 << C["TERN_ADDRESS_SLOT_BITS"]) - 1
    bits = C["TERN_ADDRESS_GENERATION_BITS"]
    return address >> 50, address >> bits & slots, address & ((1 << bits) - 1)


def address_text(address):
    return "%d.%d.%d" % address_parts(address) if address else "none"


def address_of_text(text):
    """NODE.SLOT.GENERATION as printed here, an expression of type tern_address, or an agent."""
    parts = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", text.strip())
    if parts:
        node, slot, generation = (int(part) for part in parts.groups())
        return node << 50 | slot << C["TERN_ADDRESS_GENERATION_BITS"] | generation
    value = gdb.parse_and_eval(text)
    target = value.type.strip_typedefs()
    if target.code == gdb.TYPE_CODE_PTR and target.target().unqualified().name == "tern_agent":
        return int(value["address"])
    if target.name == "tern_agent":
        return int(value["address"])
    return int(value)


# Agents: each function takes a struct tern_agent

def agent_slot(agent):
    return address_parts(int(agent["address"]))[1]


def agent_own_name(agent):
    extras = agent["extras"]
    return c_text(int(extras["name"].address), C["TERN_NAME_MAX"]) if int(extras) else ""


def agent_behaviour(agent):
    return c_text(int(agent["behaviour"]["name"]), C["TERN_NAME_MAX"])


def agent_name(agent):
    lcore = agent["lcore"]
    if int(lcore["is_thread"]) and int(lcore["index"]) == agent_slot(agent) and not int(
            lcore["behaviour"]):
        return "thread"  # attached without a behaviour
    return agent_own_name(agent) or agent_behaviour(agent)


def agent_status(agent):
    return enum_name("tern_status", "TERN_", int(agent["status"]))


def agent_flags(agent):
    return bit_names(FLAGS, "TERN_AGENT_", int(agent["flags"]))


def agent_function(agent):
    """What its signals come to: its fiber, or its handler."""
    fiber = int(agent["flags"]) & FLAGS["TERN_AGENT_FIBER"]
    return (agent["behaviour"]["fiber"] if fiber else agent["handler"]).format_string()


def fiber_text(agent):
    """What a fiber waits for. It lies on its own stack, which a core file of gdb may lack."""
    fiber = agent["extras"]["fiber"]
    if int(fiber["agent"]) != int(agent.address):
        return "<its stack is not here>"
    wait = enum_name("tern_fiber_wait", "TERN_FIBER_", int(fiber["wait"]))
    return "runs, or is about to" if wait == "run" else f"waits for {wait}"


def agent_lcore(agent):
    return int(agent["lcore"]["index"])


def agent_room(agent):
    """The room of an agent with a ring; None: it has none."""
    if not int(agent["flags"]) & FLAGS["TERN_AGENT_ROAMING"]:
        return None
    room = agent["lcore"]["rooms"][agent_slot(agent)]
    return room if int(room) else None


def ring_waiting(ring):
    waiting = (int(ring["prod"]["tail"]) - int(ring["cons"]["tail"])) & 0xFFFFFFFF
    return min(waiting, int(ring["size"]))


def agent_queued(agent):
    room = agent_room(agent)
    return int(agent["mailbox"]["queued"]) + (ring_waiting(room["roam"]["ring"]) if room else 0)


def agent_line(agent):
    return "%s %s, %s, %s queued, lcore %s, %s" % (
        cell(agent_name, agent), cell(lambda: address_text(int(agent["address"]))),
        cell(agent_status, agent), cell(agent_queued, agent), cell(agent_lcore, agent),
        cell(agent_flags, agent))


# Signals

def signal_kind(signal):
    kind = int(signal["kind"])
    what = kind & C["TERN_KIND_MASK"]
    names = {C["TERN_KIND_ISO"]: "iso", C["TERN_KIND_VAL"]: "val", C["TERN_KIND_TAG"]: "tag"}
    if what <= C["TERN_INLINE_MAX"]:
        text = f"{what} bytes"
    else:
        text = names.get(what, f"kind {what}?")
    text += ", traced" if kind & C["TERN_KIND_TRACED"] else ""
    return text + (", returned" if kind & C["TERN_KIND_RETURNED"] else "")


def signal_payload(signal):
    what = int(signal["kind"]) & C["TERN_KIND_MASK"]
    if what > C["TERN_INLINE_MAX"]:
        block = int(signal["payload"]["words"][0])
        return hex(block) if block else "taken"
    return " ".join(f"{int(signal['payload']['bytes'][i]):02x}" for i in range(what))


def signal_to(signal):
    bits = C["TERN_ADDRESS_GENERATION_BITS"]
    return address_text(int(signal["to_slot"]) << bits | int(signal["to_generation"]))


def signal_line(signal):
    payload = cell(signal_payload, signal)
    return "type %s from %s to %s, %s%s" % (
        cell(lambda: int(signal["type"])), cell(lambda: address_text(int(signal["from"]))),
        cell(signal_to, signal), cell(signal_kind, signal), ": " + payload if payload else "")


def mailbox_signals(agent):
    """The signals in cells of its lcore, oldest first; a text where the queue is damaged."""
    cells, at = agent["lcore"]["cells"], int(agent["mailbox"]["head"])
    count, seen = int(cells["count"]), set()
    for _ in range(int(agent["mailbox"]["queued"])):
        if at >= count or at in seen:
            yield f"<damaged: cell {at} cannot follow>"
            return
        seen.add(at)
        yield cells["signals"][at]
        at = int(cells["next"][at])


def ring_signals(room):
    """The signals in the ring of a room, oldest first: they lie behind the ring's own struct."""
    ring = room["roam"]["ring"]
    first = pointer_to("struct tern_signal", int(ring.address) + ring.type.sizeof)
    for i in range(ring_waiting(ring)):
        yield first[(int(ring["cons"]["tail"]) + i) & int(ring["mask"])]


# Lcores

def lcore_running(lcore):
    """The agent that an lcore runs; None: none."""
    slot = int(lcore["running"])
    if not int(lcore["in_turn"]) or slot == int(lcore["index"]) or slot >= int(lcore["slots"]):
        return None
    return lcore["agents"][slot]


def lcore_running_text(lcore):
    agent = lcore_running(lcore)
    return "nobody" if agent is None else agent_name(agent)


def lcore_phase(lcore):
    return enum_name("tern_lcore_phase", "TERN_PHASE_", int(lcore["phase"]))


def lcore_ringed(lcore):
    rings = lcore["rings"]
    low, high = rings.type.range()
    return sum(int(rings[i]["tail"]) - int(rings[i]["head"]) for i in range(low, high + 1))


def lcore_is_real(lcore):
    """Whether memory that is taken for an lcore is one of its engine's."""
    at, index = int(lcore.address), int(lcore["index"])
    return int(lcore["engine"]["lcores"]) + index * lcore.type.sizeof == at


def list_lcore(value, members):
    """The lcore in which a list lies, and which of those members of it the list is."""
    type_of_lcore = gdb.lookup_type("struct tern_lcore")
    for member in members:
        try:
            offset = int(member(pointer_to("struct tern_lcore", 0).dereference()).address)
            lcore = gdb.Value(int(value.address) - offset)
            lcore = lcore.cast(type_of_lcore.pointer()).dereference()
            if lcore_is_real(lcore):
                return lcore, members.index(member)
        except FAULTS:
            continue
    return None, 0


def follow(lcore, head, end, next_of):
    """The agents of a list from a slot on; a text where the list is damaged."""
    slot, slots, seen = head, int(lcore["slots"]), set()
    while slot != end:
        if slot >= slots or slot in seen:
            yield f"<damaged: slot {slot} cannot follow>"
            return
        seen.add(slot)
        agent = lcore["agents"][slot]
        yield agent
        slot = next_of(slot, agent)


# Engines

def is_engine(engine):
    """Whether memory that is taken for an engine is one."""
    try:
        lcores, systems = engine["lcores"], int(engine["system_count"])
        return (0 < int(engine["lcore_count"]) <= systems <= SYSTEMS_MAX and
                int(lcores[0]["engine"]) == int(engine.address) and
                int(lcores[0]["agents"]) == int(engine["agents"]))
    except FAULTS:
        return False


def engine_of(value):
    """The engine to which a value leads: an engine, an lcore, an agent, or a pointer; None."""
    try:
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            value = value.dereference()
        steps = {"tern_engine": [], "tern_lcore": ["engine"], "tern_agent": ["lcore", "engine"]}
        name = value.type.strip_typedefs().unqualified().name
        if name not in steps:
            return None
        for member in steps[name]:
            value = value[member].dereference()
        return value if is_engine(value) else None
    except FAULTS:
        return None


def frame_engine(frame):
    """The engine to which a variable of a frame leads."""
    try:
        block = frame.block()
    except RuntimeError:
        return None
    while block:
        for symbol in block:
            if not (symbol.is_variable or symbol.is_argument):
                continue
            try:
                engine = engine_of(frame.read_var(symbol, block))
            except FAULTS:
                continue
            if engine is not None:
                return engine
        if block.function:
            return None
        block = block.superblock
    return None


def thread_engine():
    """The engine to which the frames of the selected thread lead."""
    try:
        frame = gdb.newest_frame()
        for _ in range(FRAMES_MAX):
            if frame is None:
                return None
            engine = frame_engine(frame)
            if engine is not None:
                return engine
            frame = frame.older()
    except FAULTS:
        pass
    return None


def any_thread_engine():
    """The engine to which any thread leads, the selected one first."""
    engine, selected = thread_engine(), gdb.selected_thread()
    if engine is not None or selected is None:
        return engine
    frame = gdb.selected_frame()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            engine = thread_engine()
            if engine is not None:
                return engine
    finally:
        selected.switch()
        frame.select()
    return None


chosen = {}  # by inferior: the address of the engine that `tern engine` was given


def engine():
    """The engine that commands look at."""
    number = gdb.selected_inferior().num
    if number in chosen:
        value = pointer_to("struct tern_engine", chosen[number]).dereference()
        if is_engine(value):
            return value
        del chosen[number]
    try:
        gdb.lookup_type("struct tern_engine")
    except gdb.error:
        raise gdb.GdbError("there is no debug information of Tern: build with -Ddebug=true")
    value = any_thread_engine()
    if value is None:
        raise gdb.GdbError("no thread's frames lead to an engine: tern engine EXPRESSION")
    return value


def inhabited(engine):
    """The agents that live: of attached threads, then all others; by slot."""
    count, systems = int(engine["lcore_count"]), int(engine["system_count"])
    used = min(int(engine["slot_cursor"]), int(engine["slots"]))
    for place in range(systems - count):
        if int(engine["attached"][place]):
            yield engine["agents"][count + place]
    directory = memory(int(engine["directory"]), 8 * used)
    for slot in range(systems, used):
        entry = int.from_bytes(directory[8 * slot:8 * slot + 8], "little")
        generation = entry & ((1 << C["TERN_ADDRESS_GENERATION_BITS"]) - 1)
        if generation and not entry & C["TERN_DIR_VACANT"]:
            yield engine["agents"][slot]


def find_agent(text):
    """The agent of an address. gdb.GdbError: it is gone."""
    if not text.strip():
        raise gdb.GdbError("usage: ADDRESS as NODE.SLOT.GENERATION, or an expression")
    found, address = engine(), address_of_text(text)
    node, slot, generation = address_parts(address)
    if node or slot >= int(found["slots"]):
        raise gdb.GdbError(f"{address_text(address)} is no address of this engine")
    agent = found["agents"][slot]
    now = int(agent["address"])
    if now != address:
        raise gdb.GdbError(f"{address_text(address)} is gone: its slot is at {address_text(now)}")
    if int(found["directory"][slot]) & C["TERN_DIR_VACANT"]:
        raise gdb.GdbError(f"{address_text(address)} has ended")
    return found, agent


# Printers

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

    COUNTERS = ["accepted", "settled", "in_turn"]
    TURNS = ["turns", "idle_turns", "handled", "in_place", "queued"]
    LISTS = ["finishing", "shorts"]

    def __init__(self, value):
        self.value = value

    def to_string(self):
        lcore = self.value
        return "lcore %s, %s, runs %s, holds %s" % (
            cell(lambda: int(lcore["index"])), cell(lcore_phase, lcore),
            cell(lcore_running_text, lcore),
            cell(lambda: bit_names(
                {n: b for n, b in C.items() if n.startswith("TERN_HOLD_")}, "TERN_HOLD_",
                int(lcore["hold"]))))

    def children(self):
        lcore = self.value
        for name in self.COUNTERS:
            yield name, lcore[name]
        for name in self.TURNS:
            yield name, lcore["stats"][name]
        levels = lcore["ready"]["levels"]
        for level in range(levels.type.range()[1] + 1):
            # Of what is nothing, nothing is said.
            if cell(lambda: int(levels[level]["head"])) != str(C["TERN_SLOT_NONE"]):
                yield f"ready[{level}]", levels[level]
        yield "waiting", lcore["ready"]["waiting"]
        for name in self.LISTS:
            yield name, lcore[name]


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
        return [lambda lcore: lcore["finishing"], lambda lcore: lcore["shorts"],
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


# Commands

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
            chosen[gdb.selected_inferior().num] = int(found.address)
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
                cell(lambda: max(0, int(stats["handled"]) - int(lcore["own_handled"]))),
                cell(lambda: int(lcore["ready"]["count"])),
                cell(lcore_ringed, lcore), cell(lambda: int(lcore["finishing"]["count"])),
                cell(lambda: int(lcore["shorts"]["count"])),
                cell(lambda: "%d/%d" % (int(lcore["cells"]["used"]),
                                        int(lcore["cells"]["count"])))])
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
                ", %d in the ring" % ring_waiting(room["roam"]["ring"]) if room else ""))),
            ("in, out", cell(lambda: "%d, %d" % (int(agent["signals_in"]),
                                                 int(agent["signals_out"])))),
            ("function", cell(agent_function, agent)),
            ("state", cell(lambda: agent["state"].format_string()))])
        self.show_rest(agent, room)

    @staticmethod
    def show_rest(agent, room):
        """What only some agents have."""
        if room:
            names = {C[n]: n for n in C if n.startswith("TERN_ROAM_")}
            print_pairs([("ring is", cell(lambda: names[int(room["roam"]["state"])].removeprefix(
                "TERN_ROAM_").lower()))])
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
