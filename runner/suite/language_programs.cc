// The table's rows for steps that run programs.

#include "runner/suite/language_objects.h"
#include "runner/suite/shapes.h"

namespace assay::suite {
namespace {

using namespace shapes;  // NOLINT(google-build-using-namespace)

const Object& CommandExpectObject() {
  static const Object kObject = {
      "what a command expects",
      "Of its end.",
      {{"exit", {Expect(Subject::kNumber)}, false, "Exit code.", "0"}}};
  return kObject;
}

const Object& VariantObject() {
  static const Object kObject = {
      "a variant",
      "A broken service that good tests catch.",
      {
          {"name", {Text()}, true, "What is broken, in a few words."},
          {"folder",
           {Folder()},
           true,
           "Folder of the suite with the files that differ from the "
           "reference."},
      }};
  return kObject;
}

const Object& MutantsObject() {
  static const Object kObject = {
      "mutants",
      "Grades how well a candidate tests.",
      {
          {"run",
           {Text()},
           true,
           "The candidate's tests, in their work "
           "directory."},
          {"env", {Map(Template())}, false, "Environment."},
          {"reference",
           {Folder()},
           true,
           "Folder of the suite with a sound service; the tests must pass."},
          {"variants",
           {List(Of(VariantObject), 1, 100)},
           true,
           "Broken services; each that is caught earns its share."},
          {"import", {Of(ImportObject)}, false, "Where the results are."},
      }};
  return kObject;
}

}  // namespace

const Object& ImportObject() {
  static const Object kObject = {
      "import",
      "Results of a test framework, shown as sub-results: exactly one format.",
      {
          {"junit", {Text()}, false, "JUnit XML: path or pattern."},
          {"tap", {Text()}, false, "TAP 13 or 14; `-`: standard output."},
          {"ctrf", {Text()}, false, "CTRF JSON."},
          {"gotest", {Text()}, false, "`go test -json`; `-`: standard output."},
          {"min_cases",
           {Integer(1, 100'000)},
           false,
           "Fewer mean that something did not run.",
           "1"},
      },
      "import: { junit: \"build/test-results/*.xml\", min_cases: 5 }",
      {{{"junit", "tap", "ctrf", "gotest"}, true}}};
  return kObject;
}

const Object& CommandStepObject() {
  static const Object kObject = {
      "a command step",
      "Runs a program in a cell of its own, wired to the service.",
      StepKeys(
          {
              {"command", {Text()}, true, "The command line."},
              {"in",
               {Choice({"repository", "suite"})},
               false,
               "`repository`: the candidate's work directory; what it reports "
               "is claimed and earns no points. `suite`: the author's own "
               "files.",
               "repository"},
              {"files",
               {List({File()})},
               false,
               "Files and folders (`tests/`) of the suite that its cell "
               "holds; only with `in: suite`."},
              {"repository",
               {Bool()},
               false,
               "The candidate's work directory is there, read-only, at "
               "`/repository`; only with `in: suite`. What the command runs of "
               "it can read the command's files.",
               "false"},
              {"env",
               {Map(Template())},
               false,
               "Environment, beside `SERVICE_URL`, the first service's."},
              {"directory", {Text()}, false, "Where it runs.", "."},
              {"import", {Of(ImportObject)}, false, "Results to show."},
              {"expect", {Of(CommandExpectObject)}, false, "Of its end."},
          },
          false),
      "- command: make test-junit\n"
      "  import: { junit: \"build/test-results/*.xml\", min_cases: 5 }"};
  return kObject;
}

const Object& MutantsStepObject() {
  static const Object kObject = {
      "a mutants step",
      "Runs the candidate's own tests against broken services.",
      StepKeys({{"mutants", {Of(MutantsObject)}, true, "What is run."}},
               false)};
  return kObject;
}

}  // namespace assay::suite
