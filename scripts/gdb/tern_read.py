# SPDX-License-Identifier: Apache-2.0
"""What memory of an engine says: addresses, agents, signals, lcores. For tern.py.

Each function takes a gdb.Value of the structure it is about, and returns numbers or text. Memory
may be garbage: then it raises one of FAULTS, and cell() turns that into text.
"""
import re

import gdb

# engine/lcore/agent_table.h; tests/e2e/test_gdb.sh compares these three tables with the headers.
FLAGS = {
    "TERN_AGENT_LISTED": 1, "TERN_AGENT_OVER": 2, "TERN_AGENT_TOLD_OVER": 4,
    "TERN_AGENT_STARTED": 8, "TERN_AGENT_SHY": 16, "TERN_AGENT_PERMIT": 32,
    "TERN_AGENT_WAITING": 64, "TERN_AGENT_FINISHING": 128, "TERN_AGENT_FIBER": 256,
    "TERN_AGENT_FDS": 512, "TERN_AGENT_FAILED": 1024, "TERN_AGENT_MUTE": 2048,
    "TERN_AGENT_ROAMING": 4096, "TERN_AGENT_ADMITTED": 8192, "TERN_AGENT_PARKED": 16384,
    "TERN_AGENT_DUE": 32768, "TERN_AGENT_TIED": 65536, "TERN_AGENT_TELLING": 131072,
    "TERN_AGENT_OFFERS": 262144, "TERN_AGENT_MARKED": 524288, "TERN_AGENT_SHORT": 1048576,
    "TERN_AGENT_REFUSED": 2097152, "TERN_AGENT_STAYS": 4194304, "TERN_AGENT_EXACT": 8388608,
    "TERN_AGENT_ANNOUNCED": 16777216, "TERN_AGENT_SEEN_OFF": 33554432,
    "TERN_AGENT_HOOKED": 67108864,
}
# engine/lcore/asked.h
ASKS = {
    "TERN_ASK_START": 1 << 24, "TERN_ASK_STOP": 1 << 25, "TERN_ASK_CLOSED": 1 << 26,
    "TERN_ASK_PAUSE": 1 << 27, "TERN_ASK_RESUME": 1 << 28, "TERN_ASK_EVICT": 1 << 29,
    "TERN_ASK_FINISH": 1 << 30, "TERN_ASK_LOOK": 1 << 31,
}
# capabilities/tern_slot.h, tern_address.h; engine/lcore/agent.h, lcore.h; engine/queue/
CONSTANTS = {
    "TERN_KIND_ISO": 48, "TERN_KIND_VAL": 49, "TERN_KIND_TAG": 50, "TERN_KIND_MASK": 0x3F,
    "TERN_KIND_TRACED": 0x40, "TERN_KIND_RETURNED": 0x80, "TERN_INLINE_MAX": 40,
    "TERN_ADDRESS_GENERATION_BITS": 24, "TERN_ADDRESS_SLOT_BITS": 26, "TERN_NAME_MAX": 64,
    "TERN_DIR_VACANT": 1 << 25, "TERN_SLOT_NONE": 0xFFFFFFFF,
    "TERN_MAIL_RING_IDLE": 0, "TERN_MAIL_RING_QUEUED": 1, "TERN_MAIL_RING_RUNNING": 2, "TERN_MAIL_RING_NOTIFIED": 3,
    "TERN_HOLD_LATE": 1, "TERN_HOLD_HIGHER": 2, "TERN_HOLD_POLICY": 4, "TERN_HOLD_GONE": 8,
}
C = CONSTANTS

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
    """The string at an address: up to its NUL, `most` bytes at most."""
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
            lcore["attached"]["behaviour"]):
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
    return int(agent["mailbox"]["queued"]) + (ring_waiting(room["ring"]["ring"]) if room else 0)


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
    cells, at = agent["lcore"]["mail"]["cells"], int(agent["mailbox"]["head"])
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
    ring = room["ring"]["ring"]
    first = pointer_to("struct tern_signal", int(ring.address) + ring.type.sizeof)
    for i in range(ring_waiting(ring)):
        yield first[(int(ring["cons"]["tail"]) + i) & int(ring["mask"])]


# Lcores

def lcore_running(lcore):
    """The agent that an lcore runs, or ran last in this turn; None: none that is alive."""
    turn = lcore["turn"]
    slot = int(turn["running"])
    if not int(turn["is_on"]) or slot == int(lcore["index"]) or slot >= int(lcore["slots"]):
        return None
    if int(lcore["directory"][slot]) & C["TERN_DIR_VACANT"]:
        return None
    return lcore["agents"][slot]


def lcore_running_text(lcore):
    agent = lcore_running(lcore)
    return "nobody" if agent is None else agent_name(agent)


def lcore_phase(lcore):
    return enum_name("tern_lcore_phase", "TERN_PHASE_", int(lcore["loop"]["phase"]))


def lcore_ringed(lcore):
    rings = lcore["roaming"]["rings"]
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
