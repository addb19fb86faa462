/* Prints libbpf's section names, then what it makes of each line of its input: program type and attach type. */
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return vprintf(format, arguments);
}

int main(void)
{
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
	char line[256];

	libbpf_set_print(print);
	libbpf_prog_type_by_name("no such section", &type, &attach);
	libbpf_set_print(NULL);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		attach = 0;
		if (libbpf_prog_type_by_name(line, &type, &attach))
			printf("%s unknown\n", line);
		else
			printf("%s %d %d\n", line, type, attach);
	}
	return 0;
}
