/* SPDX-License-Identifier: Apache-2.0 */
#include "pcap_feed.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

struct pcap_feed {
	pcap_t *pcap;
	char *name;
	uint64_t packets;
};

static int refuse_link_type(int type, const char *name, struct tern_error *error)
{
	const char *type_name = pcap_datalink_val_to_name(type);
	return tern_error_set(
		error, -EPROTONOSUPPORT,
		"%s: link type %d (%s), needs Ethernet (%d, EN10MB): capture on the network "
		"interface itself, for example tcpdump -i eth0 -s 0 -w FILE udp",
		name, type, type_name ? type_name : "unknown", DLT_EN10MB);
}

int pcap_feed_create(FILE *file, const char *name, struct pcap_feed **created,
		     struct tern_error *error)
{
	char reason[PCAP_ERRBUF_SIZE] = "";
	struct pcap_feed *feed = calloc(1, sizeof(*feed));
	char *kept_name = strdup(name);
	if (!feed || !kept_name) {
		free(feed);
		free(kept_name);
		fclose(file);
		return tern_error_set(error, -ENOMEM, "%s: not enough memory to read it", name);
	}
	pcap_t *pcap =
		pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
	if (!pcap) {
		free(feed);
		free(kept_name);
		fclose(file);
		return tern_error_set(
			error, -EBADMSG,
			"%s: no readable pcap or pcapng file: %s: capture or copy it again", name,
			reason);
	}
	*feed = (struct pcap_feed){.pcap = pcap, .name = kept_name};
	int type = pcap_datalink(pcap);
	if (type != DLT_EN10MB) {
		int code = refuse_link_type(type, name, error);
		pcap_feed_destroy(feed);
		return code;
	}
	*created = feed;
	return 0;
}

int pcap_feed_next(struct pcap_feed *feed, struct pcap_feed_packet *packet,
		   struct tern_error *error)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int got = pcap_next_ex(feed->pcap, &header, &bytes);
	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1)
		return tern_error_set(
			error, -EBADMSG,
			"%s: cut or corrupt behind packet %llu: %s: capture or copy it again",
			feed->name, (unsigned long long)feed->packets, pcap_geterr(feed->pcap));
	feed->packets++;
	packet->number = feed->packets;
	packet->capture_ns =
		(uint64_t)header->ts.tv_sec * 1000000000 + (uint64_t)header->ts.tv_usec;
	packet->anomaly = udp_frame_parse(bytes, header->caplen, header->len, &packet->datagram);
	return 1;
}

void pcap_feed_destroy(struct pcap_feed *feed)
{
	if (!feed)
		return;
	pcap_close(feed->pcap);
	free(feed->name);
	free(feed);
}
