// SPDX-License-Identifier: GPL-2.0-only
/*
 * qmp - send commands to a QEMU and print its answers
 *
 * Usage: qmp SOCKET COMMAND...
 *
 * Each COMMAND is a line of JSON, as {"execute": "query-migrate"}. Prints the
 * answer to each on a line of its own; events are left out. Exit 1 if one of
 * them is an error, 2 if QEMU did not answer all of them within a minute.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static char line[65536];

/* The next line that is an answer; false if there is none. */
static bool answer(FILE *in)
{
	while (fgets(line, sizeof(line), in))
		if (!strncmp(line, "{\"return\"", 9) || !strncmp(line, "{\"error\"", 8))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static const char hello[] = "{\"execute\": \"qmp_capabilities\"}";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 60 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), i, rc = 0;
	FILE *in = fdopen(fd, "r");

	if (argc < 3 || strlen(argv[1]) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "usage: qmp SOCKET COMMAND...\n");
		return 1;
	}
	strcpy(addr.sun_path, argv[1]);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!in || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror(argv[1]);
		return 2;
	}
	for (i = 1; i < argc; i++) {
		const char *command = i == 1 ? hello : argv[i];

		if (dprintf(fd, "%s\n", command) < 0 || !answer(in)) {
			fprintf(stderr, "qmp: no answer to %s\n", command);
			return 2;
		}
		if (i == 1)
			continue;
		fputs(line, stdout);
		if (!strncmp(line, "{\"error\"", 8))
			rc = 1;
	}
	return rc;
}
