"""Carry a plan out: journalled, repeatable, healed after an interruption."""
