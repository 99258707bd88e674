"""Pure decisions: addresses, options, which repositories, what people become, signatures."""
