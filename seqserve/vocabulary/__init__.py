"""Tokens to ids and back."""
