"""All rules, in the order of their codes."""

from tools.lint.framework import Rule
from tools.lint.rules.errors import BroadExcept, HttpException
from tools.lint.rules.handlers import HandlerAccess, HandlerRegistration
from tools.lint.rules.imports import CommandLineImports, DomainImports, FunctionImports
from tools.lint.rules.layout import DomainFiles
from tools.lint.rules.sizes import FileSize, FunctionSize, ParameterCount, TemplateSize
from tools.lint.rules.templates import TemplateCode
from tools.lint.rules.transactions import Commits, Locks, Queries

RULES: tuple[Rule, ...] = (
    Queries(),
    Commits(),
    Locks(),
    HttpException(),
    BroadExcept(),
    HandlerAccess(),
    HandlerRegistration(),
    FunctionImports(),
    DomainImports(),
    CommandLineImports(),
    DomainFiles(),
    FileSize(),
    FunctionSize(),
    ParameterCount(),
    TemplateSize(),
    TemplateCode(),
)
