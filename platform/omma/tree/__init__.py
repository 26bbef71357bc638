"""Omma as one supervised tree of processes. Imports no Django: this process only watches the others."""
