/* SPDX-License-Identifier: Apache-2.0 */
#include "options_text.h"

#include "agent/risk_limits.h"

#define STRING(value) #value
#define NUMBER(value) STRING(value)

#define LIMIT_HELP(constant, name, initial, text) "  " #name " " #initial ": " text "\n"
#define LIMITS_HELP "Limits of risk, with their defaults:\n" RISK_LIMITS(LIMIT_HELP)

const struct argp_option options_list[] = {
	{NULL, 0, NULL, 0, "The feed", 1},
	{"feed", OPTION_FEED, "FILE", 0,
	 "Play this file: ITCH 5.0 in a BinaryFILE, or in MoldUDP64 in a pcap or pcapng capture; "
	 "its first bytes tell which. Without it a trading day is generated",
	 1},
	{"port", OPTION_PORT, "N", 0, "Follow only datagrams to this UDP port of a capture", 1},
	{"messages", OPTION_MESSAGES, "N", 0,
	 "End after so many messages (default: all of the file; " NUMBER(
		 OPTIONS_MESSAGES) " generated)",
	 1},
	{"symbols", OPTION_SYMBOLS, "N", 0,
	 "Instruments to generate, 1 to 10000 (default " NUMBER(OPTIONS_SYMBOLS) ")", 1},
	{"seed", OPTION_SEED, "N", 0, "Same seed, same generated feed (default 1)", 1},

	{NULL, 0, NULL, 0, "Its pace", 2},
	{"rate", OPTION_RATE, "N", 0,
	 "Release N messages a second, evenly, whatever was recorded (default " NUMBER(
		 OPTIONS_RATE) " where no --speed is given)",
	 2},
	{"speed", OPTION_SPEED, "SPEED", 0,
	 "Keep the recorded timing: 1x as recorded, 10x ten times as fast, any such factor; or "
	 "max: "
	 "no timing, which measures throughput and no latency. --rate goes before it",
	 2},

	{NULL, 0, NULL, 0, "The swarm", 3},
	{"books", OPTION_BOOKS, "N", 0,
	 "Order-book agents, 1 to 64; each owns the books of its share of the symbols "
	 "(default " NUMBER(OPTIONS_BOOKS) ")",
	 3},
	{"strategies", OPTION_STRATEGIES, "N", 0,
	 "Strategy agents, 1 to 64; each follows its share of the symbols (default " NUMBER(
		 OPTIONS_STRATEGIES) ")",
	 3},
	{"nodes", OPTION_NODES, "N", 0,
	 "Processes, 1 or 2 (default 1): with 2, books and strategies live in a second one, and "
	 "every signal from and to them goes over the network between them, which is shared memory",
	 3},
	{"fault", OPTION_FAULT, "RULES", 0,
	 "Faults of that network on purpose, as in node.fault: loss=1% or "
	 "loss=1%,way=out|reorder=5%",
	 3},
	{"limit", OPTION_LIMIT, "NAME=N", 0, "Set a limit of risk, see below; may be repeated", 3},

	{NULL, 0, NULL, 0, "The engine", 4},
	{"lcores", OPTION_LCORES, "LIST", 0,
	 "CPUs to run on, for example 0,2-5 (default: all that this process may use)", 4},
	{"trace-every", OPTION_TRACE_EVERY, "N", 0,
	 "Stamp one signal in N on every hop; 0 stamps none (default " NUMBER(
		 OPTIONS_TRACE_EVERY) ")",
	 4},
	{"config", OPTION_CONFIG, "FILE", 0, "Read an INI file of engine settings", 4},
	{"set", 'o', "SECTION.KEY=VALUE", 0,
	 "Set one engine setting, after the file; may be repeated", 4},

	{NULL, 0, NULL, 0, "The results", 5},
	{"json", OPTION_JSON, NULL, 0, "Print them as one JSON object", 5},
	{"books-out", OPTION_BOOKS_OUT, "FILE", 0,
	 "Write the final books as CSV: symbol, stock locate, side, level, price in 1/10000 "
	 "dollar, shares, orders",
	 5},
	{"depth", OPTION_DEPTH, "K", 0,
	 "Levels of each side in that file, 1 to 10000 (default " NUMBER(OPTIONS_DEPTH) ")", 5},
	{0},
};

const char options_doc[] =
	"Trade on a market-data feed with a swarm of agents, and show what the engine did.\n"
	"\n"
	"A feed handler decodes ITCH messages and sends each to the order book of its symbol; "
	"books send every new best price to a strategy; strategies send orders through risk to an "
	"executor, which fills them at the books' best prices (a simulation: nothing leaves this "
	"machine). Each is an agent; they are spread over the lcores. Without options the run "
	"takes ten seconds."
	"\v"
	"Latency is tick-to-trade: from the moment when a message was due to the moment when the "
	"executor accepts the order that it led to. Due times are fixed in advance, so that delay "
	"anywhere on the way counts, that of a late feed handler included. At --speed max nothing "
	"is ever due, and only throughput is measured.\n"
	"\n" LIMITS_HELP "\n"
	"Engine settings: those of docs/configuration.md; `tern config show' prints them all. The "
	"swarm's own defaults are engine.idle=pause, engine.max_agents=1024, "
	"engine.max_threads=1, lanes.data_depth=4096 and memory.block_mib=40, the memory into "
	"which the feed is read ahead.\n"
	"\n"
	"With --nodes 2 each process has half of the lcores. Needed are neither privileges nor "
	"hugepages. Node 1 has feed, risk and executor, and starts and ends node 2; the books are "
	"those of one process, also where frames are lost. If a node or the connection is lost, "
	"the run ends with 69 and without results. The default of node.dead_us is 3000000 then; "
	"other keys of [node] may be set, but for id, device, members and address.\n"
	"\n"
	"Interrupted (Ctrl-C), it ends the feed there, lets the agents finish, and prints the "
	"results so far.\n"
	"\n"
	"Environment:\n"
	"  TERN_LOG  error, warn, info or debug: the engine's log level (default warn)\n"
	"\n"
	"Exit status:\n"
	"  0    done, and all counts agree\n"
	"  1    counts do not agree, or the feed has faults (gaps, unknown types, ...)\n"
	"  2    wrong command line\n"
	"  66   a file is absent, empty, no feed, or cut; what could be read was played\n"
	"  69   no memory, an output cannot be written, or the other node is lost\n"
	"  77   not allowed\n"
	"  78   the configuration is refused\n"
	"  129  hung up; 130  interrupted; 143  terminated\n"
	"\n"
	"Examples:\n"
	"  trading_swarm\n"
	"  trading_swarm --feed day.itch50 --speed 10x\n"
	"  trading_swarm --feed day.pcap --speed max --books-out books.csv\n"
	"  trading_swarm --rate 200000 --messages 2000000 --lcores 2-5 --books 4\n"
	"  trading_swarm --nodes 2 --fault loss=1% --books-out books.csv\n"
	"  trading_swarm -o engine.mode=polled -o engine.clock=virtual --json\n"
	"The last one runs in one thread and virtual time: same seed, same orders, to the last "
	"fill.\n";
