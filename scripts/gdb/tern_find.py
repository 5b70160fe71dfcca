# SPDX-License-Identifier: Apache-2.0
"""Which engine is meant, and who lives in it. For tern.py."""
import gdb

from tern_read import (C, FAULTS, address_of_text, address_parts, address_text, memory, pointer_to)

FRAMES_MAX = 64  # of a thread, that are searched for an engine
SYSTEMS_MAX = 128 + 64  # lcores and places of threads that an engine can have


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


def choose(found):
    """Have engine() return that one for the selected inferior, as long as it is one."""
    chosen[gdb.selected_inferior().num] = int(found.address)


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
