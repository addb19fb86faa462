// SPDX-License-Identifier: MIT OR GPL-2.0
/* The dispatcher of version 2 of libxdp's protocol, since libxdp 1.3. */
#define PROTOCOL_VERSION 2
#include "xdp_dispatcher/dispatcher.h"
