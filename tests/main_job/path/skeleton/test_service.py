import unittest

import service


class Greeting(unittest.TestCase):
    def test_it_greets(self):
        self.assertTrue(service.GREETING)

    def test_no_fault_was_asked_for(self):
        self.assertNotEqual(service.FAULT, "test")
