"""Viewing recorded spans as a story, as trees and as a page. For the command line only."""
