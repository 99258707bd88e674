"""Run the unit tests and write a JUnit report, with the standard library alone."""

import sys
import unittest
from xml.etree import ElementTree


class Report(unittest.TextTestResult):
    def startTestRun(self):
        self.suite = ElementTree.Element("testsuite", name="unit")

    def stopTest(self, test):
        super().stopTest(test)
        case = ElementTree.SubElement(self.suite, "testcase", classname=type(test).__name__, name=test._testMethodName)
        for failed, text in [*self.failures, *self.errors]:
            if failed is test:
                ElementTree.SubElement(case, "failure", message=text.strip().splitlines()[-1]).text = text


sys.path.insert(0, ".")
program = unittest.main("test_service", argv=["unit"], exit=False, testRunner=unittest.TextTestRunner(resultclass=Report))
ElementTree.ElementTree(program.result.suite).write(sys.argv[1], encoding="unicode")
sys.exit(not program.result.wasSuccessful())
