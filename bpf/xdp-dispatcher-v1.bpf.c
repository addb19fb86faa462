// SPDX-License-Identifier: MIT OR GPL-2.0
/* The dispatcher of version 1, for interfaces where older tools have put one: they would refuse a newer one. */
#define PROTOCOL_VERSION 1
#include "xdp_dispatcher/dispatcher.h"
