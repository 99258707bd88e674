"""Changing one entity in the text of a file: comments, order and the other documents stay as they are."""

from roadbed.catalog.rules.rewriting.pieces import Piece, find_piece, find_pieces, put_piece, put_pieces
from roadbed.catalog.rules.rewriting.rewriting import Rewritten, rewrite

__all__ = ["Piece", "Rewritten", "find_piece", "find_pieces", "put_piece", "put_pieces", "rewrite"]
