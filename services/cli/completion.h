#ifndef ASSAY_SERVICES_CLI_COMPLETION_H_
#define ASSAY_SERVICES_CLI_COMPLETION_H_

#include <CLI/CLI.hpp>
#include <string>

// What can be read off the tree of commands, so that it never differs from it.
namespace assay::cli {

// Rules for `complete` and `compdef`: subcommands and options of each command,
// file names elsewhere.
std::string BashCompletion(const CLI::App& app);
std::string ZshCompletion(const CLI::App& app);

// assay(1) as roff; docs/man/assay.1 is this text, and a test compares.
std::string ManualPage(const CLI::App& app);
// docs/reference/cli.md: the same as a page of Markdown.
std::string MarkdownPage(const CLI::App& app);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_COMPLETION_H_
