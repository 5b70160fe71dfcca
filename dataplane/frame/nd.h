/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ND_H
#define ND_H

/*
 * Types of ICMPv6 messages in which a neighbour is asked for, and answers: for nd.c, and for
 * frame_read.c, which tells them from others. Source: RFC 4861, section 4
 */
#define TERN_ND_SOLICIT 135
#define TERN_ND_ADVERT 136

#endif
