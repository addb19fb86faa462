/*
 * What a static libbpf that was compiled with glibc 2.38 or later wants of the C library, for linking it with an earlier one.
 * The older functions differ in binary numbers (0b1) alone.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((weak)) int __isoc23_sscanf(const char *text, const char *format, ...)
{
	va_list list;
	int count;

	va_start(list, format);
	count = vsscanf(text, format, list);
	va_end(list);
	return count;
}

__attribute__((weak)) int __isoc23_fscanf(FILE *file, const char *format, ...)
{
	va_list list;
	int count;

	va_start(list, format);
	count = vfscanf(file, format, list);
	va_end(list);
	return count;
}

__attribute__((weak)) unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
	return strtoull(text, end, base);
}

__attribute__((weak)) unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
	return strtoul(text, end, base);
}

__attribute__((weak)) long __isoc23_strtol(const char *text, char **end, int base)
{
	return strtol(text, end, base);
}
