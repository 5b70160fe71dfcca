/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an output file appears complete or not at all. Method: a fresh folder, which is listed
 * after each step.
 */
#include "output_file.h"

#include "tests/unit/feed/feed_test.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[128];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_output_file_XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/out", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int entries(void)
{
	int count = 0;
	DIR *listing = opendir(folder);
	assert_non_null(listing);
	while (readdir(listing))
		count++;
	closedir(listing);
	return count - 2;
}

static void assert_content(const char *expected)
{
	char content[64] = "";
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(content, 1, sizeof(content) - 1, file) > 0);
	fclose(file);
	assert_string_equal(content, expected);
}

static void committed_file_appears_whole(void **state)
{
	(void)state;
	struct output_file output;
	assert_int_equal(output_file_create(&output, path, NULL), 0);
	fputs("first", output.file);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(output_file_commit(&output, NULL), 0);
	assert_content("first");
	assert_int_equal(output_file_create(&output, path, NULL), 0);
	fputs("second", output.file);
	fflush(output.file);
	assert_content("first");
	assert_int_equal(output_file_commit(&output, NULL), 0);
	assert_content("second");
	assert_int_equal(entries(), 1);
}

static void abandoned_file_leaves_nothing(void **state)
{
	(void)state;
	struct output_file output;
	assert_int_equal(output_file_create(&output, path, NULL), 0);
	fputs("lost", output.file);
	output_file_abandon(&output);
	assert_int_equal(entries(), 0);
}

static void links_are_followed(void **state)
{
	(void)state;
	char link[160];
	struct output_file output;
	struct stat status;
	snprintf(link, sizeof(link), "%s/link", folder);
	fclose(fopen(path, "w"));
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(output_file_create(&output, link, NULL), 0);
	fputs("through", output.file);
	assert_int_equal(output_file_commit(&output, NULL), 0);
	assert_content("through");
	assert_int_equal(lstat(link, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	unlink(link);
}

static void failures_show(void **state)
{
	(void)state;
	struct output_file output;
	struct tern_error error;
	char missing[160];
	snprintf(missing, sizeof(missing), "%s/none/out", folder);
	assert_int_equal(output_file_create(&output, missing, &error), -ENOENT);
	assert_non_null(strstr(error.text, missing));
	assert_int_equal(output_file_create(&output, folder, &error), -EISDIR);
	assert_int_equal(output_file_create(&output, "/dev/full", &error), 0);
	fputs("lost", output.file);
	assert_int_equal(output_file_commit(&output, &error), -ENOSPC);
	assert_non_null(strstr(error.text, "/dev/full: cannot be written"));
	assert_int_equal(entries(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(committed_file_appears_whole, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(abandoned_file_leaves_nothing, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(links_are_followed, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(failures_show, make_folder, remove_folder),
	};
	return cmocka_run_group_tests_name("output_file", tests, NULL, NULL);
}
