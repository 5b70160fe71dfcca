/* SPDX-License-Identifier: Apache-2.0 */

/* Read once, by tern_code_table_make(): what is known of other people's code. */
#include "fault_names.h"

#include <stddef.h>

const struct tern_known_module tern_known_modules[] = {
	{"libtern.so", TERN_CODE_ENGINE},   {"libm.so", TERN_CODE_PURE},
	{"libm-", TERN_CODE_PURE},	    {"libmvec", TERN_CODE_PURE},
	{"libc.so", TERN_CODE_LIBC},	    {"libc-", TERN_CODE_LIBC},
	{"libc.musl", TERN_CODE_LIBC},	    {"libpthread", TERN_CODE_LIBC},
	{"librt.so", TERN_CODE_LIBC},	    {"librt-", TERN_CODE_LIBC},
	{"libdl.so", TERN_CODE_LIBC},	    {"libdl-", TERN_CODE_LIBC},
	{"libresolv", TERN_CODE_LIBC},	    {"libnss_", TERN_CODE_LIBC},
	{"linux-vdso", TERN_CODE_LIBC},	    {"linux-gate", TERN_CODE_LIBC},
	{"ld-", TERN_CODE_FOREIGN},	    {"ld.so", TERN_CODE_FOREIGN},
	{"libgcc_s", TERN_CODE_FOREIGN},    {"librte_", TERN_CODE_FOREIGN},
	{"libnuma", TERN_CODE_FOREIGN},	    {"libhugetlbfs", TERN_CODE_FOREIGN},
	{"libasan", TERN_CODE_FOREIGN},	    {"libtsan", TERN_CODE_FOREIGN},
	{"libubsan", TERN_CODE_FOREIGN},    {"liblsan", TERN_CODE_FOREIGN},
	{"libclang_rt", TERN_CODE_FOREIGN}, {NULL, TERN_CODE_OWN},
};

/* clang-format off */
const char *const tern_safe_functions[] = {
	/* memory */
	"memcpy", "memmove", "mempcpy", "memccpy", "memset", "explicit_bzero", "memcmp", "memchr",
	"memrchr", "rawmemchr", "memmem", "memfrob", "swab", "bcopy", "bzero", "bcmp",
	"__memcpy_chk", "__memmove_chk", "__mempcpy_chk", "__memset_chk", "__memcmpeq",
	"__explicit_bzero_chk",
	/* strings */
	"strlen", "strnlen", "strcpy", "strncpy", "stpcpy", "stpncpy", "strcat", "strncat",
	"strlcpy", "strlcat", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "strverscmp",
	"strcoll", "strxfrm", "strchr", "strchrnul", "strrchr", "index", "rindex", "strstr",
	"strcasestr", "strspn", "strcspn", "strpbrk", "strsep", "strtok", "strtok_r", "strdup",
	"strndup", "strfry", "ffs", "basename", "dirname", "__strcpy_chk", "__strncpy_chk",
	"__stpcpy_chk", "__stpncpy_chk", "__strcat_chk", "__strncat_chk",
	/* wide strings */
	"wcslen", "wcsnlen", "wcscpy", "wcsncpy", "wcpcpy", "wcpncpy", "wcscat", "wcsncat",
	"wcscmp", "wcsncmp", "wcscasecmp", "wcsncasecmp", "wcschr", "wcsrchr", "wcsstr", "wcsspn",
	"wcscspn", "wcspbrk", "wcstok", "wcsdup", "wmemcpy", "wmemmove", "wmempcpy", "wmemset",
	"wmemcmp", "wmemchr",
	/* numbers in strings */
	"atoi", "atol", "atoll", "atof", "strtol", "strtoul", "strtoll", "strtoull", "strtoimax",
	"strtoumax", "strtof", "strtod", "strtold", "wcstol", "wcstoul", "wcstoll", "wcstoull",
	"wcstod", "__isoc23_strtol", "__isoc23_strtoul", "__isoc23_strtoll", "__isoc23_strtoull",
	"div", "ldiv", "lldiv", "a64l",
	/* text in the caller's memory */
	"snprintf", "sprintf", "vsnprintf", "vsprintf", "sscanf", "vsscanf", "__snprintf_chk",
	"__sprintf_chk", "__vsnprintf_chk", "__vsprintf_chk", "__isoc99_sscanf",
	"__isoc99_vsscanf", "__isoc23_sscanf", "inet_ntop", "inet_pton", "inet_aton",
	/* search and order, with the caller's own comparison */
	"qsort", "qsort_r", "bsearch", "lfind", "lsearch", "tfind", "tsearch", "twalk", "insque",
	"remque",
	/* state that the caller keeps */
	"rand_r", "random_r", "srandom_r", "drand48_r", "lrand48_r", "erand48", "nrand48",
	"gmtime_r", "clock_gettime", "gettimeofday", "time", "difftime", "clock_getres",
	"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time",
	/* locks of the caller's: one that is not there was not taken */
	"pthread_mutex_lock", "pthread_mutex_trylock", "pthread_mutex_unlock", "pthread_spin_lock",
	"pthread_spin_trylock", "pthread_spin_unlock", "pthread_cond_signal",
	"pthread_cond_broadcast", "sem_post", "sem_trywait", "sem_wait",
	/* below which all of a program runs */
	"__libc_start_main",
	NULL,
};

const char *const tern_unsafe_functions[] = {
	/* the heap */
	"malloc", "calloc", "realloc", "reallocarray", "free", "memalign", "aligned_alloc",
	"posix_memalign", "valloc", "pvalloc", "malloc_usable_size", "malloc_trim", "mallinfo2",
	/* streams */
	"printf", "fprintf", "vprintf", "vfprintf", "dprintf", "vdprintf", "asprintf", "vasprintf",
	"__printf_chk", "__fprintf_chk", "__vprintf_chk", "__vfprintf_chk", "__asprintf_chk",
	"__dprintf_chk", "perror", "puts", "fputs", "fputc", "putc", "putchar", "fwrite", "fread",
	"fgets", "__fgets_chk", "__fread_chk", "fgetc", "getc", "getchar", "ungetc", "getline",
	"getdelim", "scanf", "fscanf", "vscanf", "vfscanf", "__isoc99_scanf", "__isoc99_fscanf",
	"fopen", "fdopen", "freopen", "fopencookie", "fmemopen", "open_memstream", "fclose",
	"fcloseall", "fflush", "fseek", "fseeko", "ftell", "ftello", "rewind", "setvbuf", "setbuf",
	"flockfile", "ftrylockfile", "funlockfile", "popen", "pclose", "syslog", "vsyslog",
	"fputws", "fgetws", "fputwc", "fgetwc", "wprintf", "fwprintf", "vfwprintf",
	/* modules */
	"dlopen", "dlmopen", "dlclose", "dlsym", "dlvsym", "dladdr", "dladdr1", "dlinfo",
	"dl_iterate_phdr",
	/* the process */
	"exit", "quick_exit", "abort", "atexit", "on_exit", "__cxa_atexit", "system", "fork",
	"posix_spawn", "getenv", "secure_getenv", "setenv", "putenv", "unsetenv", "clearenv",
	"setlocale", "newlocale", "freelocale", "bindtextdomain", "gettext", "iconv", "iconv_open",
	"pthread_create", "pthread_join", "pthread_cancel", "pthread_exit", "pthread_once",
	"pthread_key_create", "pthread_cond_wait", "pthread_cond_timedwait", "call_once",
	/* clocks and lists of the system, read under locks */
	"localtime", "localtime_r", "gmtime", "ctime", "ctime_r", "mktime", "timegm", "strftime",
	"strptime", "tzset", "rand", "srand", "random", "srandom", "drand48", "opendir", "readdir",
	"readdir_r", "closedir", "scandir", "glob", "globfree", "ftw", "nftw", "fts_open",
	"fts_read", "regcomp", "regexec", "regfree", "wordexp", "getpwnam", "getpwuid",
	"getpwnam_r", "getpwuid_r", "getgrnam", "getgrgid", "gethostbyname", "getaddrinfo",
	"freeaddrinfo", "getnameinfo", "backtrace", "backtrace_symbols",
	NULL,
};
